using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.SignIn;
using Candela.State;

namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>Grants in the state store.</summary>
internal sealed class GrantStore(IStateStore store, IDirectory directory, CredentialStore credentials, ISignInSessions sessions, TimeProvider time)
{
    /// <summary>Adds a grant to a transaction.</summary>
    /// <returns>Its id.</returns>
    public static string Add(StateTransaction transaction, GrantDocument grant)
    {
        var id = RefreshTokens.NewGrantId();
        transaction.Expect(OpenIdKeys.Grant(id), 0).Put(OpenIdKeys.Grant(id), Write(grant));
        return id;
    }

    /// <summary>A grant that still counts, with its account and revision; null: there is none.</summary>
    public async Task<(GrantDocument Grant, DirectoryEntry Account, long Revision)?> FindAliveAsync(string id, CancellationToken cancellationToken)
    {
        if (id.Length > 32 || await store.GetAsync(OpenIdKeys.Grant(id), cancellationToken) is not { } entry)
            return null;
        var grant = JsonSerializer.Deserialize(entry.Value.Span, OpenIdJson.Default.GrantDocument)!;
        return await FindAccountAsync(grant, cancellationToken) is { } account ? (grant, account, entry.Revision) : null;
    }

    /// <summary>The account of a grant that still counts; null: it does not.</summary>
    public async Task<DirectoryEntry?> FindAccountAsync(GrantDocument grant, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        if (grant.ExpiresAt <= time.GetUtcNow() ||
            current.Get(grant.AccountId) is not { Enabled: true, Kind: not EntryKind.Group } account || current.GetDomain(account.DomainId) is not { Enabled: true })
            return null;
        if (grant is { IsOffline: false, SessionId: { } session } && await sessions.FindAsync(session, cancellationToken) is null)
            return null;
        // Who changes a password wants everybody out who came in by the former one.
        var (credential, _) = await credentials.ReadAsync(account.Id, cancellationToken);
        return credential.PasswordChangedAt <= grant.AuthenticatedAt ? account : null;
    }

    /// <summary>Replaces a grant that has not changed meanwhile; false: it has.</summary>
    public async Task<bool> TryReplaceAsync(string id, GrantDocument grant, long revision, CancellationToken cancellationToken) =>
        (await store.CommitAsync(new StateTransaction().Expect(OpenIdKeys.Grant(id), revision).Put(OpenIdKeys.Grant(id), Write(grant)), cancellationToken)).Succeeded;

    /// <summary>Ends a grant with all of its tokens.</summary>
    public Task RevokeAsync(string id, CancellationToken cancellationToken) =>
        store.CommitAsync(new StateTransaction().Delete(OpenIdKeys.Grant(id)), cancellationToken);

    /// <summary>Removes grants whose time is over.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        string? after = null;
        do
        {
            var page = await store.RangeAsync(OpenIdKeys.Grants, after, StateLimits.PageCount, cancellationToken);
            var transaction = new StateTransaction();
            foreach (var entry in page.Entries)
            {
                if (JsonSerializer.Deserialize(entry.Value.Span, OpenIdJson.Default.GrantDocument)!.ExpiresAt <= now)
                    transaction.Delete(entry.Key);
            }

            if (transaction.Writes.Count > 0)
                await store.CommitAsync(transaction, cancellationToken);
            after = page.Next;
        }
        while (after is not null);
    }

    private static byte[] Write(GrantDocument grant) => JsonSerializer.SerializeToUtf8Bytes(grant, OpenIdJson.Default.GrantDocument);
}
