using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.Saml.Keys;
using Candela.Identity.Saml.Metadata;
using Candela.Identity.Saml.Providers;
using Candela.Model;

namespace Candela.Identity.Saml;

/// <summary>
/// Service providers and signing keys as an actor may see and change them: every call asks whether the actor may (kind <c>client</c>, where the
/// domain is), and is kept in the audit log. Failures are <see cref="CandelaException"/>s, PermissionDenied among them.
/// </summary>
public sealed class SamlAdministration
{
    private readonly ServiceProviders _providers;
    private readonly SamlSigningKeys _keys;
    private readonly IDirectory _directory;
    private readonly AccessGuard _guard;
    private readonly SamlOptions _options;
    private readonly TimeProvider _time;

    internal SamlAdministration(ServiceProviders providers, SamlSigningKeys keys, IDirectory directory, AccessGuard guard, SamlOptions options, TimeProvider time)
    {
        _providers = providers;
        _keys = keys;
        _directory = directory;
        _guard = guard;
        _options = options;
        _time = time;
    }

    /// <summary>Address of the identity provider's metadata, which is its entity id, too.</summary>
    public string MetadataAddress => _options.EntityId;

    /// <summary>A domain's service providers, by name.</summary>
    public Task<IReadOnlyList<SamlServiceProvider>> ListAsync(Actor actor, string domain, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "saml-provider.list", domain, async () =>
        {
            var found = await RequireAsync(actor, domain, Verb.List, cancellationToken);
            return await _providers.ListAsync(found.Id, cancellationToken);
        });

    /// <summary>One by name.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public Task<SamlServiceProvider> GetAsync(Actor actor, string name, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "saml-provider.get", name, () => FindAsync(actor, name, Verb.Get, cancellationToken));

    /// <summary>Registers one.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="domain">Domain whose accounts are to sign in there.</param>
    /// <param name="name">Name to administer it by.</param>
    /// <param name="metadata">Its metadata (UTF-8); null: what there is to know is completed by <paramref name="complete"/>.</param>
    /// <param name="complete">Completes or changes what the metadata says.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">InvalidArgument; NotFound: domain or group; AlreadyExists: name or entity id.</exception>
    public Task<SamlServiceProvider> CreateAsync(
        Actor actor, string domain, string name, ReadOnlyMemory<byte>? metadata, Func<SamlServiceProvider, SamlServiceProvider> complete, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "saml-provider.create", name, async () =>
        {
            var found = await RequireAsync(actor, domain, Verb.Create, cancellationToken);
            var draft = metadata is { } xml
                ? ServiceProviderMetadata.Read(xml.Span, name, found.Id)
                : new SamlServiceProvider { Name = name, DomainId = found.Id, EntityId = "", AssertionConsumers = [] };
            return await _providers.CreateAsync(complete(draft) with { Name = name, DomainId = found.Id }, cancellationToken);
        });

    /// <summary>Changes one.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="name">Name.</param>
    /// <param name="metadata">New metadata (UTF-8) for its entity id, addresses and keys; null: they stay.</param>
    /// <param name="change">What else to change.</param>
    /// <param name="expectedRevision">Revision that it must have; null: any.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">InvalidArgument; NotFound; AlreadyExists: entity id; Conflict: it was changed meanwhile.</exception>
    public Task<SamlServiceProvider> UpdateAsync(
        Actor actor, string name, ReadOnlyMemory<byte>? metadata, Func<SamlServiceProvider, SamlServiceProvider> change, long? expectedRevision, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "saml-provider.update", name, async () =>
        {
            var present = await FindAsync(actor, name, Verb.Update, cancellationToken);
            if (expectedRevision is { } expected && expected != present.Revision)
                throw new CandelaException(ErrorCode.Conflict, $"{name} was changed meanwhile: look at it and try again");
            var draft = present;
            if (metadata is { } xml)
            {
                var read = ServiceProviderMetadata.Read(xml.Span, name, present.DomainId);
                draft = present with
                {
                    EntityId = read.EntityId,
                    AssertionConsumers = read.AssertionConsumers,
                    Logout = read.Logout,
                    SigningCertificates = read.SigningCertificates,
                    EncryptionCertificate = read.EncryptionCertificate,
                    RequireSignedRequests = read.RequireSignedRequests,
                };
            }

            return await _providers.UpdateAsync(present, change(draft) with { Name = name, DomainId = present.DomainId }, cancellationToken);
        });

    /// <summary>Removes one: from now on nobody signs in there.</summary>
    /// <exception cref="CandelaException">NotFound; Conflict: it was changed meanwhile.</exception>
    public Task DeleteAsync(Actor actor, string name, CancellationToken cancellationToken) => _guard.RunAsync(actor, "saml-provider.delete", name, async () =>
        await _providers.DeleteAsync(await FindAsync(actor, name, Verb.Delete, cancellationToken), cancellationToken));

    /// <summary>The published signing keys, in the order in which they sign.</summary>
    public Task<IReadOnlyList<SamlKeyDescription>> ListKeysAsync(Actor actor, CancellationToken cancellationToken) => _guard.RunAsync(actor, "saml-key.list", "", async () =>
    {
        await _guard.RequireAsync(actor, ResourceKind.Client, Verb.List, ResourceScope.System, cancellationToken);
        var current = _keys.Current.Id;
        return (IReadOnlyList<SamlKeyDescription>)[.. _keys.Published.Select(k => Describe(k, current))];
    });

    /// <summary>Makes the next signing key.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="isUrgent">It signs at once and the former ones go: who has not read the metadata anew refuses what it signs. Else it is announced first.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">Conflict: one is announced already.</exception>
    public Task<SamlKeyDescription> RotateKeyAsync(Actor actor, bool isUrgent, CancellationToken cancellationToken) => _guard.RunAsync(actor, "saml-key.rotate", isUrgent ? "at once" : "", async () =>
    {
        await _guard.RequireAsync(actor, ResourceKind.System, Verb.Update, ResourceScope.System, cancellationToken);
        var made = await _keys.RotateAsync(isUrgent ? TimeSpan.Zero : _options.KeyOverlap, cancellationToken);
        return Describe(made, _keys.Current.Id);
    });

    /// <summary>The identity provider's metadata, signed.</summary>
    public string GetMetadata() => IdentityProviderMetadata.Write(_options, _keys.Published, _keys.Current, _time.GetUtcNow());

    private static SamlKeyDescription Describe(SamlKey key, string current) =>
        new(key.Id, key.SignsFrom, key.Certificate.NotAfter, Convert.ToHexString(key.Certificate.GetCertHash(System.Security.Cryptography.HashAlgorithmName.SHA256)), key.Id == current);

    private async Task<Domain> RequireAsync(Actor actor, string domain, Verb verb, CancellationToken cancellationToken)
    {
        // Who may not see a domain's programs does not learn whether there is such a domain.
        var found = _directory.Current.FindDomain(domain);
        await _guard.RequireAsync(actor, ResourceKind.Client, verb, found is null ? ResourceScope.System : AccessGuard.ScopeOf(found), cancellationToken);
        return found ?? throw new CandelaException(ErrorCode.NotFound, $"no such domain: {domain}");
    }

    private async Task<SamlServiceProvider> FindAsync(Actor actor, string name, Verb verb, CancellationToken cancellationToken)
    {
        var found = await _providers.FindAsync(name, cancellationToken);
        var domain = found is null ? null : _directory.Current.GetDomain(found.DomainId);
        await _guard.RequireAsync(actor, ResourceKind.Client, verb, domain is null ? ResourceScope.System : AccessGuard.ScopeOf(domain), cancellationToken);
        return found ?? throw new CandelaException(ErrorCode.NotFound, $"no such service provider: {name}");
    }
}

/// <summary>A signing key as it is published.</summary>
/// <param name="Id">Id.</param>
/// <param name="SignsFrom">When it begins to sign.</param>
/// <param name="NotAfter">End of its certificate.</param>
/// <param name="Fingerprint">SHA-256 of its certificate, hexadecimal.</param>
/// <param name="IsCurrent">It signs now.</param>
public sealed record SamlKeyDescription(string Id, DateTimeOffset SignsFrom, DateTimeOffset NotAfter, string Fingerprint, bool IsCurrent);
