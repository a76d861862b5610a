using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Authentication;

/// <summary>Credential documents in the state store.</summary>
internal sealed class CredentialStore(IStateStore store, IDirectory directory)
{
    /// <summary>How often a change is tried again that met another one.</summary>
    private const int AttemptCount = 16;

    public static byte[] Encode(CredentialDocument document) => JsonSerializer.SerializeToUtf8Bytes(document, IdentityJson.Default.CredentialDocument);

    /// <summary>An account's document and its revision; an empty one and 0 when there is none.</summary>
    public async Task<(CredentialDocument Document, long Revision)> ReadAsync(Guid accountId, CancellationToken cancellationToken) =>
        await store.GetAsync(IdentityKeys.Credential(accountId), cancellationToken) is { } entry
            ? (JsonSerializer.Deserialize(entry.Value.Span, IdentityJson.Default.CredentialDocument)!, entry.Revision)
            : (CredentialDocument.None, 0);

    /// <summary>Replaces the document when it still has the revision; false: it has not, or is gone.</summary>
    public async Task<bool> TryReplaceAsync(Guid accountId, CredentialDocument document, long revision, CancellationToken cancellationToken)
    {
        var key = IdentityKeys.Credential(accountId);
        return (await store.CommitAsync(new StateTransaction().Expect(key, revision).Put(key, Encode(document)), cancellationToken)).Succeeded;
    }

    /// <summary>Changes an account's document, again when another change came between.</summary>
    /// <exception cref="CandelaException">NotFound: no such account; what <paramref name="change"/> throws.</exception>
    public async Task UpdateAsync(Guid accountId, Func<DirectoryEntry, CredentialDocument, CredentialDocument> change, CancellationToken cancellationToken)
    {
        var key = IdentityKeys.Credential(accountId);
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            var account = GetAccount(accountId);
            var (document, revision) = await ReadAsync(accountId, cancellationToken);
            var changed = change(account, document);
            // The account, too: credentials do not outlive it.
            var transaction = new StateTransaction()
                .Expect(IdentityKeys.Entry(accountId), account.Revision)
                .Expect(key, revision)
                .Put(key, Encode(changed));
            if ((await store.CommitAsync(transaction, cancellationToken)).Succeeded)
                return;
            if (await store.GetAsync(IdentityKeys.Entry(accountId), cancellationToken) is null)
                throw NoAccount(accountId);
        }

        throw new CandelaException(ErrorCode.Conflict, "Others change this account all the time: try again.");
    }

    /// <summary>An account that can have credentials.</summary>
    /// <exception cref="CandelaException">NotFound; InvalidArgument: a group.</exception>
    public DirectoryEntry GetAccount(Guid id) => directory.Current.Get(id) switch
    {
        null => throw NoAccount(id),
        Group group => throw new CandelaException(ErrorCode.InvalidArgument, $"{group.Name} is a group: groups have no credentials."),
        var account => account,
    };

    private static CandelaException NoAccount(Guid id) => new(ErrorCode.NotFound, $"No such account: {id}");
}
