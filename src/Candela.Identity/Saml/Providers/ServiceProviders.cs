using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Saml.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Saml.Providers;

/// <summary>Service providers in the state store. Each read sees what is registered now. Says nothing about who may change them.</summary>
internal sealed class ServiceProviders(IStateStore store, IDirectory directory, TimeProvider time)
{
    /// <summary>Null: none.</summary>
    public async Task<SamlServiceProvider?> FindAsync(string name, CancellationToken cancellationToken) =>
        ServiceProviderCheck.IsName(name) && await store.GetAsync(SamlStateKeys.Provider(name), cancellationToken) is { } entry ? Decode(entry) : null;

    /// <summary>By entity id, compared exactly; null: none.</summary>
    public async Task<SamlServiceProvider?> FindByEntityAsync(string entityId, CancellationToken cancellationToken) =>
        await store.GetAsync(SamlStateKeys.Entity(entityId), cancellationToken) is { } entry &&
        await FindAsync(Encoding.ASCII.GetString(entry.Value.Span), cancellationToken) is { } provider && provider.EntityId == entityId
            ? provider
            : null;

    /// <summary>A domain's, by name.</summary>
    public async Task<IReadOnlyList<SamlServiceProvider>> ListAsync(Guid domainId, CancellationToken cancellationToken)
    {
        var found = new List<SamlServiceProvider>();
        string? after = null;
        do
        {
            var page = await store.RangeAsync(SamlStateKeys.Providers, after, StateLimits.PageCount, cancellationToken);
            found.AddRange(page.Entries.Select(Decode).Where(p => p.DomainId == domainId));
            after = page.Next;
        }
        while (after is not null);
        return found;
    }

    /// <exception cref="CandelaException">InvalidArgument; NotFound: domain or group; AlreadyExists: name or entity id.</exception>
    public async Task<SamlServiceProvider> CreateAsync(SamlServiceProvider provider, CancellationToken cancellationToken)
    {
        ServiceProviderCheck.Check(provider, directory.Current);
        provider = provider with { CreatedAt = time.GetUtcNow() };
        var (key, entity) = (SamlStateKeys.Provider(provider.Name), SamlStateKeys.Entity(provider.EntityId));
        var result = await store.CommitAsync(
            new StateTransaction().Expect(key, 0).Expect(entity, 0).Put(key, Encode(provider)).Put(entity, Encoding.ASCII.GetBytes(provider.Name)), cancellationToken);
        if (result.Succeeded)
            return provider with { Revision = result.Revision };
        throw new CandelaException(ErrorCode.AlreadyExists, result.FailedKey == key
            ? $"there is a service provider {provider.Name} already: choose another name"
            : "a service provider with this entity id is registered already");
    }

    /// <summary>Replaces one; name and domain stay.</summary>
    /// <exception cref="CandelaException">InvalidArgument; NotFound: group; AlreadyExists: entity id; Conflict: it was changed meanwhile.</exception>
    public async Task<SamlServiceProvider> UpdateAsync(SamlServiceProvider present, SamlServiceProvider provider, CancellationToken cancellationToken)
    {
        ServiceProviderCheck.Check(provider, directory.Current);
        var key = SamlStateKeys.Provider(present.Name);
        var (before, after) = (SamlStateKeys.Entity(present.EntityId), SamlStateKeys.Entity(provider.EntityId));
        var transaction = new StateTransaction().Expect(key, present.Revision).Put(key, Encode(provider));
        if (before != after)
            transaction.Expect(after, 0).Delete(before).Put(after, Encoding.ASCII.GetBytes(present.Name));
        var result = await store.CommitAsync(transaction, cancellationToken);
        if (result.Succeeded)
            return provider with { Revision = result.Revision };
        throw result.FailedKey == key
            ? new CandelaException(ErrorCode.Conflict, $"{present.Name} was changed meanwhile: look at it and try again")
            : new CandelaException(ErrorCode.AlreadyExists, "a service provider with this entity id is registered already");
    }

    /// <exception cref="CandelaException">Conflict: it was changed meanwhile.</exception>
    public async Task DeleteAsync(SamlServiceProvider provider, CancellationToken cancellationToken)
    {
        var key = SamlStateKeys.Provider(provider.Name);
        if (!(await store.CommitAsync(new StateTransaction().Expect(key, provider.Revision).Delete(key).Delete(SamlStateKeys.Entity(provider.EntityId)), cancellationToken)).Succeeded)
            throw new CandelaException(ErrorCode.Conflict, $"{provider.Name} was changed meanwhile: look at it and try again");
    }

    private static byte[] Encode(SamlServiceProvider provider) => JsonSerializer.SerializeToUtf8Bytes(provider, SamlJson.Default.SamlServiceProvider);

    private static SamlServiceProvider Decode(StateEntry entry) =>
        JsonSerializer.Deserialize(entry.Value.Span, SamlJson.Default.SamlServiceProvider)! with { Revision = entry.Revision };
}
