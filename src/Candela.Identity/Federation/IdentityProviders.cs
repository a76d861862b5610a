using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Secrets;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Federation;

/// <summary>Identity providers in the state store. Each read sees what is registered now. Says nothing about who may change them.</summary>
internal sealed class IdentityProviders(IStateStore store, ISecretBox secrets, IDirectory directory, TimeProvider time)
{
    /// <summary>Null: none.</summary>
    public async Task<IdentityProvider?> FindAsync(string name, CancellationToken cancellationToken) =>
        IdentityProviderCheck.IsName(name) && await store.GetAsync(FederationKeys.Provider(name), cancellationToken) is { } entry ? Decode(entry) : null;

    /// <summary>One by which people may sign in now; null: none.</summary>
    public async Task<IdentityProvider?> FindEnabledAsync(string name, CancellationToken cancellationToken) =>
        await FindAsync(name, cancellationToken) is { } provider && IsUsable(provider) ? provider : null;

    /// <summary>All, by name.</summary>
    public async Task<IReadOnlyList<IdentityProvider>> ListAsync(CancellationToken cancellationToken)
    {
        var found = new List<IdentityProvider>();
        string? after = null;
        do
        {
            var page = await store.RangeAsync(FederationKeys.Providers, after, StateLimits.PageCount, cancellationToken);
            found.AddRange(page.Entries.Select(Decode));
            after = page.Next;
        }
        while (after is not null);
        return found;
    }

    /// <summary>It is enabled, as is its domain.</summary>
    public bool IsUsable(IdentityProvider provider) => provider.Enabled && directory.Current.GetDomain(provider.DomainId) is { Enabled: true };

    /// <summary>Seals a provider's secret.</summary>
    public byte[] Seal(string provider, string secret)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        try
        {
            return secrets.Seal(bytes, FederationKeys.Secret(provider));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>A provider's secret.</summary>
    public string OpenSecret(IdentityProvider provider)
    {
        var bytes = secrets.Open(provider.SealedSecret, FederationKeys.Secret(provider.Name));
        try
        {
            return Encoding.UTF8.GetString(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <exception cref="CandelaException">InvalidArgument; NotFound: domain or group; AlreadyExists.</exception>
    public async Task<IdentityProvider> CreateAsync(IdentityProvider provider, CancellationToken cancellationToken)
    {
        IdentityProviderCheck.Check(provider, directory.Current);
        provider = provider with { CreatedAt = time.GetUtcNow() };
        var key = FederationKeys.Provider(provider.Name);
        var result = await store.CommitAsync(new StateTransaction().Expect(key, 0).Put(key, Encode(provider)), cancellationToken);
        return result.Succeeded
            ? provider with { Revision = result.Revision }
            : throw new CandelaException(ErrorCode.AlreadyExists, $"there is an identity provider {provider.Name} already: choose another name");
    }

    /// <summary>Replaces one; name and domain stay.</summary>
    /// <exception cref="CandelaException">InvalidArgument; NotFound: group; Conflict: it was changed meanwhile.</exception>
    public async Task<IdentityProvider> UpdateAsync(IdentityProvider present, IdentityProvider provider, CancellationToken cancellationToken)
    {
        IdentityProviderCheck.Check(provider, directory.Current);
        var key = FederationKeys.Provider(present.Name);
        var result = await store.CommitAsync(new StateTransaction().Expect(key, present.Revision).Put(key, Encode(provider)), cancellationToken);
        return result.Succeeded ? provider with { Revision = result.Revision } : throw Changed(present.Name);
    }

    /// <summary>Removes one. Its links are the caller's to remove.</summary>
    /// <exception cref="CandelaException">Conflict: it was changed meanwhile.</exception>
    public async Task DeleteAsync(IdentityProvider provider, CancellationToken cancellationToken)
    {
        var key = FederationKeys.Provider(provider.Name);
        if (!(await store.CommitAsync(new StateTransaction().Expect(key, provider.Revision).Delete(key), cancellationToken)).Succeeded)
            throw Changed(provider.Name);
    }

    private static CandelaException Changed(string name) => new(ErrorCode.Conflict, $"{name} was changed meanwhile: look at it and try again");

    private static byte[] Encode(IdentityProvider provider) => JsonSerializer.SerializeToUtf8Bytes(provider, FederationJson.Default.IdentityProvider);

    private static IdentityProvider Decode(StateEntry entry) =>
        JsonSerializer.Deserialize(entry.Value.Span, FederationJson.Default.IdentityProvider)! with { Revision = entry.Revision };
}
