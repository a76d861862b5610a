using System.Text;
using System.Text.Json;
using Candela.State;

namespace Candela.Identity.Federation;

/// <summary>Which subject of which provider is which account. An account has one subject of a provider at most, and a subject one account.</summary>
internal sealed class AccountLinks(IStateStore store, TimeProvider time)
{
    /// <summary>A subject's link; null: none.</summary>
    public async Task<LinkDocument?> FindAsync(string provider, string subject, CancellationToken cancellationToken) =>
        await store.GetAsync(FederationKeys.Link(provider, subject), cancellationToken) is { } entry ? Decode(entry) : null;

    /// <summary>An account's link; null: none.</summary>
    public async Task<LinkDocument?> FindAsync(string provider, Guid account, CancellationToken cancellationToken) =>
        await store.GetAsync(FederationKeys.AccountLink(account, provider), cancellationToken) is { } entry ? await FindAsync(provider, Encoding.UTF8.GetString(entry.Value.Span), cancellationToken) : null;

    /// <summary>A provider's links.</summary>
    public async Task<IReadOnlyList<LinkDocument>> ListAsync(string provider, CancellationToken cancellationToken)
    {
        var found = new List<LinkDocument>();
        string? after = null;
        do
        {
            var page = await store.RangeAsync(FederationKeys.Links(provider), after, StateLimits.PageCount, cancellationToken);
            found.AddRange(page.Entries.Select(Decode));
            after = page.Next;
        }
        while (after is not null);
        return found;
    }

    /// <summary>Links a subject to an account.</summary>
    /// <returns>False: one of them is linked already.</returns>
    public async Task<bool> TryAddAsync(string provider, string subject, Guid account, bool isNew, CancellationToken cancellationToken)
    {
        var document = new LinkDocument { Subject = subject, AccountId = account, OwnsAccount = isNew, IsPending = isNew, CreatedAt = time.GetUtcNow() };
        var (key, back) = (FederationKeys.Link(provider, subject), FederationKeys.AccountLink(account, provider));
        return (await store.CommitAsync(
            new StateTransaction().Expect(key, 0).Expect(back, 0).Put(key, Encode(document)).Put(back, Encoding.UTF8.GetBytes(subject)), cancellationToken)).Succeeded;
    }

    /// <summary>The account of a pending link is there now. Who was first has said so for all.</summary>
    public Task CompleteAsync(string provider, LinkDocument link, CancellationToken cancellationToken)
    {
        var key = FederationKeys.Link(provider, link.Subject);
        return store.CommitAsync(new StateTransaction().Expect(key, link.Revision).Put(key, Encode(link with { IsPending = false })), cancellationToken);
    }

    /// <summary>Removes a link that has not changed meanwhile.</summary>
    public Task RemoveAsync(string provider, LinkDocument link, CancellationToken cancellationToken)
    {
        var key = FederationKeys.Link(provider, link.Subject);
        return store.CommitAsync(new StateTransaction().Expect(key, link.Revision).Delete(key).Delete(FederationKeys.AccountLink(link.AccountId, provider)), cancellationToken);
    }

    private static byte[] Encode(LinkDocument link) => JsonSerializer.SerializeToUtf8Bytes(link, FederationJson.Default.LinkDocument);

    private static LinkDocument Decode(StateEntry entry) => JsonSerializer.Deserialize(entry.Value.Span, FederationJson.Default.LinkDocument)! with { Revision = entry.Revision };
}
