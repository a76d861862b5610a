using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Candela.Identity.Jose;
using Candela.State;

namespace Candela.Identity.Acme;

/// <summary>ACME's documents by kind, with the revisions to change them by.</summary>
internal sealed class AcmeStore(IStateStore store)
{
    private const int IdBytes = 16;

    /// <summary>An id that cannot be guessed.</summary>
    public static string NewId() => Base64UrlText.Encode(RandomNumberGenerator.GetBytes(IdBytes));

    /// <summary>Null: none, or not an id.</summary>
    public Task<Stored<AcmeAccount>?> AccountAsync(string id, CancellationToken cancellationToken) =>
        GetAsync(id, AcmeKeys.Account, AcmeJson.Default.AcmeAccount, cancellationToken);

    /// <summary>Null: none, or not an id.</summary>
    public Task<Stored<AcmeExternal>?> ExternalAsync(string id, CancellationToken cancellationToken) =>
        GetAsync(id, AcmeKeys.External, AcmeJson.Default.AcmeExternal, cancellationToken);

    /// <summary>Null: none, or not an id.</summary>
    public Task<Stored<AcmeOrder>?> OrderAsync(string id, CancellationToken cancellationToken) =>
        GetAsync(id, AcmeKeys.Order, AcmeJson.Default.AcmeOrder, cancellationToken);

    /// <summary>Null: none, or not an id.</summary>
    public Task<Stored<AcmeAuthorization>?> AuthorizationAsync(string id, CancellationToken cancellationToken) =>
        GetAsync(id, AcmeKeys.Authorization, AcmeJson.Default.AcmeAuthorization, cancellationToken);

    /// <summary>The account that has a key; null: none.</summary>
    public async Task<Stored<AcmeAccount>?> AccountOfKeyAsync(string thumbprint, CancellationToken cancellationToken) =>
        await store.GetAsync(AcmeKeys.AccountKey(thumbprint), cancellationToken) is { } entry
            ? await AccountAsync(System.Text.Encoding.ASCII.GetString(entry.Value.Span), cancellationToken)
            : null;

    /// <summary>Ids of an account's orders, at most as many as given.</summary>
    public async Task<IReadOnlyList<string>> OrdersOfAsync(string account, int limit, CancellationToken cancellationToken)
    {
        var prefix = AcmeKeys.OrdersOf(account);
        var page = await store.RangeAsync(prefix, null, limit, cancellationToken);
        return [.. page.Entries.Select(e => e.Key[prefix.Length..])];
    }

    /// <summary>False: something has changed meanwhile.</summary>
    public async Task<bool> CommitAsync(StateTransaction transaction, CancellationToken cancellationToken) =>
        (await store.CommitAsync(transaction, cancellationToken)).Succeeded;

    public static StateTransaction Put(StateTransaction transaction, AcmeAccount account, long revision) =>
        Put(transaction, AcmeKeys.Account(account.Id), account, revision, AcmeJson.Default.AcmeAccount);

    public static StateTransaction Put(StateTransaction transaction, AcmeExternal external, long revision) =>
        Put(transaction, AcmeKeys.External(external.Id), external, revision, AcmeJson.Default.AcmeExternal);

    public static StateTransaction Put(StateTransaction transaction, AcmeOrder order, long revision) =>
        Put(transaction, AcmeKeys.Order(order.Id), order, revision, AcmeJson.Default.AcmeOrder);

    public static StateTransaction Put(StateTransaction transaction, AcmeAuthorization authorization, long revision) =>
        Put(transaction, AcmeKeys.Authorization(authorization.Id), authorization, revision, AcmeJson.Default.AcmeAuthorization);

    /// <summary>Deletes orders and authorizations that expired some time ago.</summary>
    public async Task PurgeAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        await PurgeAsync(AcmeKeys.Orders, AcmeJson.Default.AcmeOrder, (o, t) =>
        {
            if (o.ExpiresAt < before)
                t.Delete(AcmeKeys.Order(o.Id)).Delete(AcmeKeys.OrdersOf(o.Account) + o.Id);
        }, cancellationToken);
        await PurgeAsync(AcmeKeys.Authorizations, AcmeJson.Default.AcmeAuthorization, (a, t) =>
        {
            if (a.ExpiresAt < before)
                t.Delete(AcmeKeys.Authorization(a.Id));
        }, cancellationToken);
        await PurgeAsync(AcmeKeys.Externals, AcmeJson.Default.AcmeExternal, (e, t) =>
        {
            if (e.ExpiresAt < before && e.Account is null)
                t.Delete(AcmeKeys.External(e.Id));
        }, cancellationToken);
    }

    private static StateTransaction Put<T>(StateTransaction transaction, string key, T document, long revision, JsonTypeInfo<T> type) =>
        transaction.Expect(key, revision).Put(key, JsonSerializer.SerializeToUtf8Bytes(document, type));

    private async Task<Stored<T>?> GetAsync<T>(string id, Func<string, string> key, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        // Ids come from addresses: nothing else may become part of a key.
        if (Base64UrlText.TryDecode(id) is not { Length: IdBytes } || await store.GetAsync(key(id), cancellationToken) is not { } entry)
            return null;
        return new Stored<T>(JsonSerializer.Deserialize(entry.Value.Span, type)!, entry.Revision);
    }

    private async Task PurgeAsync<T>(string prefix, JsonTypeInfo<T> type, Action<T, StateTransaction> delete, CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            var page = await store.RangeAsync(prefix, after, StateLimits.PageCount, cancellationToken);
            var transaction = new StateTransaction();
            foreach (var entry in page.Entries)
                delete(JsonSerializer.Deserialize(entry.Value.Span, type)!, transaction);
            if (transaction.Writes.Count > 0)
                await store.CommitAsync(transaction, cancellationToken);
            after = page.Next;
        }
        while (after is not null);
    }
}

/// <summary>A document and the revision that it was read at.</summary>
internal sealed record Stored<T>(T Value, long Revision);
