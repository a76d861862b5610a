using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Model;

namespace Candela.Identity.Federation;

/// <summary>
/// Identity providers and links to them as an actor may see and change them: every call asks whether the actor may (kind <c>domain</c>, for
/// they decide who signs in as whom), and is kept in the audit log. Who changes a provider could sign in as everybody that is linked to it, so
/// they must have all that those have. Failures are <see cref="CandelaException"/>s, PermissionDenied among them.
/// </summary>
public sealed class FederationAdministration
{
    private readonly IdentityProviders _providers;
    private readonly AccountLinks _links;
    private readonly IDirectory _directory;
    private readonly AccessGuard _guard;

    internal FederationAdministration(IdentityProviders providers, AccountLinks links, IDirectory directory, AccessGuard guard) =>
        (_providers, _links, _directory, _guard) = (providers, links, directory, guard);

    /// <summary>A domain's identity providers, by name.</summary>
    public Task<IReadOnlyList<IdentityProvider>> ListAsync(Actor actor, string domain, CancellationToken cancellationToken) => _guard.RunAsync(actor, "identity-provider.list", domain, async () =>
    {
        var found = await RequireAsync(actor, domain, Verb.Get, cancellationToken);
        return (IReadOnlyList<IdentityProvider>)[.. (await _providers.ListAsync(cancellationToken)).Where(provider => provider.DomainId == found.Id)];
    });

    /// <summary>One by name.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public Task<IdentityProvider> GetAsync(Actor actor, string name, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "identity-provider.get", name, () => FindAsync(actor, name, Verb.Get, cancellationToken));

    /// <summary>Registers one.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="domain">Domain whose accounts are to sign in by it.</param>
    /// <param name="name">Name.</param>
    /// <param name="complete">What is wanted.</param>
    /// <param name="secret">Secret of the client, or password of the bind; null: none.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">InvalidArgument; NotFound: domain or group; AlreadyExists.</exception>
    public Task<IdentityProvider> CreateAsync(
        Actor actor, string domain, string name, Func<IdentityProvider, IdentityProvider> complete, string? secret, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "identity-provider.create", name, async () =>
        {
            var found = await RequireAsync(actor, domain, Verb.Update, cancellationToken);
            var wanted = complete(new IdentityProvider { Name = name, DomainId = found.Id }) with { Name = name, DomainId = found.Id };
            wanted = wanted with { SealedSecret = secret is { Length: > 0 } ? _providers.Seal(name, secret) : null };
            await RequireCoverAsync(actor, wanted, cancellationToken);
            return await _providers.CreateAsync(wanted, cancellationToken);
        });

    /// <summary>Changes one.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="name">Name.</param>
    /// <param name="change">What to change.</param>
    /// <param name="secret">New secret; empty: none from now on; null: it stays.</param>
    /// <param name="expectedRevision">Revision that it must have; null: any.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">InvalidArgument; NotFound; Conflict: it was changed meanwhile.</exception>
    public Task<IdentityProvider> UpdateAsync(
        Actor actor, string name, Func<IdentityProvider, IdentityProvider> change, string? secret, long? expectedRevision, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "identity-provider.update", name, async () =>
        {
            var present = await FindAsync(actor, name, Verb.Update, cancellationToken);
            if (expectedRevision is { } expected && expected != present.Revision)
                throw new CandelaException(ErrorCode.Conflict, $"{name} was changed meanwhile: look at it and try again");
            var wanted = change(present) with { Name = name, DomainId = present.DomainId };
            if (secret is not null)
                wanted = wanted with { SealedSecret = secret.Length > 0 ? _providers.Seal(name, secret) : null };
            // A secret goes nowhere but where it was given for.
            else if (wanted.SealedSecret is not null && (wanted.OpenId?.Issuer, wanted.Ldap?.Host) != (present.OpenId?.Issuer, present.Ldap?.Host))
                throw new CandelaException(ErrorCode.InvalidArgument, "the provider's address changes: give the secret, too");
            await RequireCoverAsync(actor, wanted, cancellationToken);
            return await _providers.UpdateAsync(present, wanted, cancellationToken);
        });

    /// <summary>Removes one with its links: from now on nobody signs in by it.</summary>
    /// <exception cref="CandelaException">NotFound; Conflict: it was changed meanwhile.</exception>
    public Task DeleteAsync(Actor actor, string name, CancellationToken cancellationToken) => _guard.RunAsync(actor, "identity-provider.delete", name, async () =>
    {
        await _providers.DeleteAsync(await FindAsync(actor, name, Verb.Update, cancellationToken), cancellationToken);
        // Another one of the same name vouches for others.
        foreach (var link in await _links.ListAsync(name, cancellationToken))
            await _links.RemoveAsync(name, link, cancellationToken);
    });

    /// <summary>Who is linked to whom.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public Task<IReadOnlyList<IdentityLink>> ListLinksAsync(Actor actor, string name, CancellationToken cancellationToken) => _guard.RunAsync(actor, "identity-provider.links", name, async () =>
    {
        await FindAsync(actor, name, Verb.Get, cancellationToken);
        return (IReadOnlyList<IdentityLink>)[.. (await _links.ListAsync(name, cancellationToken)).Select(Describe)];
    });

    /// <summary>Links a user to a subject.</summary>
    /// <exception cref="CandelaException">NotFound: provider or user; Conflict: one of them is linked already.</exception>
    public Task<IdentityLink> LinkAsync(Actor actor, string name, string user, string subject, CancellationToken cancellationToken) => _guard.RunAsync(actor, "identity-provider.link", $"{name} {user}", async () =>
    {
        var provider = await FindAsync(actor, name, Verb.Update, cancellationToken);
        if (subject.Length is 0 or > 255 || subject.Any(char.IsControl))
            throw new CandelaException(ErrorCode.InvalidArgument, "a subject has 1 to 255 characters: what the provider calls sub, or the entry's id");
        var account = _directory.Current.Find(provider.DomainId, EntryKind.User, user) ?? throw new CandelaException(ErrorCode.NotFound, $"no such user in the provider's domain: {user}");
        await _guard.RequireCoverAsync(actor, account, cancellationToken);
        if (!await _links.TryAddAsync(name, subject, account.Id, isNew: false, cancellationToken))
            throw new CandelaException(ErrorCode.Conflict, "the subject or the user is linked already: remove that link first");
        return Describe((await _links.FindAsync(name, subject, cancellationToken))!);
    });

    /// <summary>Removes the link of a subject.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public Task UnlinkAsync(Actor actor, string name, string subject, CancellationToken cancellationToken) => _guard.RunAsync(actor, "identity-provider.unlink", name, async () =>
    {
        await FindAsync(actor, name, Verb.Update, cancellationToken);
        await _links.RemoveAsync(name, await _links.FindAsync(name, subject, cancellationToken) ?? throw new CandelaException(ErrorCode.NotFound, "no such subject is linked"), cancellationToken);
    });

    private IdentityLink Describe(LinkDocument link) => new(link.Subject, link.AccountId, _directory.Current.Get(link.AccountId)?.Name, link.OwnsAccount, link.CreatedAt);

    /// <summary>Nobody gives out more than they have: not by a group, nor by vouching for others.</summary>
    private async Task RequireCoverAsync(Actor actor, IdentityProvider provider, CancellationToken cancellationToken)
    {
        foreach (var id in provider.Groups.Values.Distinct().Concat((await _links.ListAsync(provider.Name, cancellationToken)).Select(link => link.AccountId)))
        {
            if (_directory.Current.Get(id) is { } entry)
                await _guard.RequireCoverAsync(actor, entry, cancellationToken);
        }
    }

    private async Task<Domain> RequireAsync(Actor actor, string domain, Verb verb, CancellationToken cancellationToken)
    {
        var found = _directory.Current.FindDomain(domain);
        await _guard.RequireAsync(actor, ResourceKind.Domain, verb, found is null ? ResourceScope.System : AccessGuard.ScopeOf(found), cancellationToken);
        return found ?? throw new CandelaException(ErrorCode.NotFound, $"no such domain: {domain}");
    }

    private async Task<IdentityProvider> FindAsync(Actor actor, string name, Verb verb, CancellationToken cancellationToken)
    {
        var found = await _providers.FindAsync(name, cancellationToken);
        var domain = found is null ? null : _directory.Current.GetDomain(found.DomainId);
        await _guard.RequireAsync(actor, ResourceKind.Domain, verb, domain is null ? ResourceScope.System : AccessGuard.ScopeOf(domain), cancellationToken);
        return found ?? throw new CandelaException(ErrorCode.NotFound, $"no such identity provider: {name}");
    }
}

/// <summary>A subject of a provider that is an account here.</summary>
/// <param name="Subject">Id there.</param>
/// <param name="AccountId">Account.</param>
/// <param name="AccountName">Its name; null: it has been deleted.</param>
/// <param name="OwnsAccount">The account was made for the subject.</param>
/// <param name="CreatedAt">Since when.</param>
public sealed record IdentityLink(string Subject, Guid AccountId, string? AccountName, bool OwnsAccount, DateTimeOffset CreatedAt);
