using System.Collections.Concurrent;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.SignIn;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.OpenIdConnect.Clients;

/// <summary>Clients in the state store. Says nothing about who may change them.</summary>
internal sealed class ClientStore(IStateStore store, IDirectory directory, TimeProvider time, SignInOptions? signIn = null)
{
    private const int AttemptCount = 8;

    // What was parsed stays good as long as its revision does.
    private readonly ConcurrentDictionary<string, OAuthClient> _parsed = new();

    /// <summary>A client; null: there is none. Of a domain that is disabled or gone, it counts as disabled.</summary>
    public async ValueTask<OAuthClient?> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (signIn is not null && BuiltInClients.Find(id, directory.Current.SystemDomain.Id, signIn.Origin) is { } builtIn)
            return builtIn;
        if (!ClientCheck.IsId(id) || await store.GetAsync(OpenIdKeys.Client(id), cancellationToken) is not { } entry)
            return null;
        if (!_parsed.TryGetValue(id, out var client) || client.Revision != entry.Revision)
            _parsed[id] = client = Read(entry);
        return directory.Current.GetDomain(client.DomainId) is { Enabled: true } ? client : client with { Enabled = false };
    }

    /// <summary>A client that may act now; null: there is none.</summary>
    public async ValueTask<OAuthClient?> FindEnabledAsync(string id, CancellationToken cancellationToken) =>
        await FindAsync(id, cancellationToken) is { Enabled: true } client ? client : null;

    /// <summary>All clients of a domain, by id.</summary>
    public async Task<IReadOnlyList<OAuthClient>> ListAsync(Guid domainId, CancellationToken cancellationToken)
    {
        var found = new List<OAuthClient>();
        string? after = null;
        do
        {
            var page = await store.RangeAsync(OpenIdKeys.Clients, after, StateLimits.PageCount, cancellationToken);
            found.AddRange(page.Entries.Select(Read).Where(client => client.DomainId == domainId));
            after = page.Next;
        }
        while (after is not null);
        return found;
    }

    /// <exception cref="CandelaException">InvalidArgument; AlreadyExists.</exception>
    public async Task<OAuthClient> CreateAsync(OAuthClient client, CancellationToken cancellationToken)
    {
        ClientCheck.Check(client);
        var now = time.GetUtcNow();
        var made = client with { CreatedAt = now, ModifiedAt = now };
        var key = OpenIdKeys.Client(client.Id);
        var result = await store.CommitAsync(new StateTransaction().Expect(key, 0).Put(key, Write(made)), cancellationToken);
        return result.Succeeded ? made with { Revision = result.Revision } : throw new CandelaException(ErrorCode.AlreadyExists, $"There is a client {client.Id} already.");
    }

    /// <summary>Changes a client, again when another change came between.</summary>
    /// <exception cref="CandelaException">NotFound; InvalidArgument.</exception>
    public async Task<OAuthClient> UpdateAsync(string id, Func<OAuthClient, OAuthClient> change, CancellationToken cancellationToken)
    {
        var key = OpenIdKeys.Client(id);
        for (var attempt = 0; attempt < AttemptCount; attempt++)
        {
            if (!ClientCheck.IsId(id) || await store.GetAsync(key, cancellationToken) is not { } entry)
                throw new CandelaException(ErrorCode.NotFound, $"No such client: {id}");
            var changed = change(Read(entry)) with { ModifiedAt = time.GetUtcNow() };
            ClientCheck.Check(changed);
            var result = await store.CommitAsync(new StateTransaction().Expect(key, entry.Revision).Put(key, Write(changed)), cancellationToken);
            if (result.Succeeded)
                return changed with { Revision = result.Revision };
        }

        throw new CandelaException(ErrorCode.Conflict, "Others change this client all the time: try again.");
    }

    /// <summary>Removes a client: its tokens count no more.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public async Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        var key = OpenIdKeys.Client(id);
        if (await store.GetAsync(key, cancellationToken) is not { } entry ||
            !(await store.CommitAsync(new StateTransaction().Expect(key, entry.Revision).Delete(key), cancellationToken)).Succeeded)
            throw new CandelaException(ErrorCode.NotFound, $"No such client: {id}");
        _parsed.TryRemove(id, out _);
    }

    private static OAuthClient Read(StateEntry entry) => JsonSerializer.Deserialize(entry.Value.Span, OpenIdJson.Default.OAuthClient)! with { Revision = entry.Revision };

    private static byte[] Write(OAuthClient client) => JsonSerializer.SerializeToUtf8Bytes(client, OpenIdJson.Default.OAuthClient);
}
