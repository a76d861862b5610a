using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Ldif;
using Candela.Model;

namespace Candela.Identity.Administration;

/// <summary>
/// Domains, accounts and groups as an actor may see and change them: every call asks whether the actor may, and is kept in the audit log. The
/// way for front ends. Failures are <see cref="CandelaException"/>s, PermissionDenied among them.
/// </summary>
public sealed class DirectoryAdministration
{
    private readonly IDirectory _directory;
    private readonly ICredentials _credentials;
    private readonly ILdif _ldif;
    private readonly AccessGuard _guard;

    internal DirectoryAdministration(IDirectory directory, ICredentials credentials, ILdif ldif, AccessGuard guard)
    {
        _directory = directory;
        _credentials = credentials;
        _ldif = ldif;
        _guard = guard;
    }

    /// <summary>Domains that the actor may see.</summary>
    public Task<IReadOnlyList<Domain>> ListDomainsAsync(Actor actor, CancellationToken cancellationToken) => _guard.RunAsync(actor, "domain.list", "", async () =>
    {
        var seen = new List<Domain>();
        foreach (var domain in _directory.Current.Domains.OrderBy(domain => domain.Name, EntryName.Comparer))
        {
            try
            {
                await _guard.RequireAsync(actor, ResourceKind.Domain, Verb.List, AccessGuard.ScopeOf(domain), cancellationToken);
                seen.Add(domain);
            }
            catch (CandelaException e) when (e.Code == ErrorCode.PermissionDenied)
            {
                // Not for this actor's eyes.
            }
        }

        if (seen.Count == 0)
            await _guard.RequireAsync(actor, ResourceKind.Domain, Verb.List, ResourceScope.System, cancellationToken);
        return (IReadOnlyList<Domain>)seen;
    });

    /// <summary>One domain.</summary>
    public Task<Domain> GetDomainAsync(Actor actor, string name, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "domain.get", name, () => AllowedDomainAsync(actor, name, Verb.Get, cancellationToken));

    /// <summary>Makes a domain for a tenant.</summary>
    public Task<Domain> CreateDomainAsync(Actor actor, Domain domain, CancellationToken cancellationToken) => _guard.RunAsync(actor, "domain.create", domain.Name, async () =>
    {
        await _guard.RequireAsync(actor, ResourceKind.Domain, Verb.Create, ResourceScope.System, cancellationToken);
        return await _directory.CreateDomainAsync(domain, cancellationToken);
    });

    /// <summary>Changes a domain.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="name">Name.</param>
    /// <param name="change">What.</param>
    /// <param name="expectedRevision">Revision that it must have; null: any.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<Domain> UpdateDomainAsync(Actor actor, string name, Func<Domain, Domain> change, long? expectedRevision, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "domain.update", name, async () =>
        {
            var domain = await AllowedDomainAsync(actor, name, Verb.Update, cancellationToken);
            CheckRevision(domain.Name, domain.Revision, expectedRevision);
            return await _directory.UpdateDomainAsync(change(domain), cancellationToken);
        });

    /// <summary>Removes a domain without entries.</summary>
    public Task DeleteDomainAsync(Actor actor, string name, CancellationToken cancellationToken) => _guard.RunAsync(actor, "domain.delete", name, async () =>
    {
        await _guard.RequireAsync(actor, ResourceKind.Domain, Verb.Delete, ResourceScope.System, cancellationToken);
        await _directory.DeleteDomainAsync(EntryReference.FindDomain(_directory.Current, name).Id, cancellationToken);
    });

    /// <summary>Writes a domain as LDIF.</summary>
    public Task ExportAsync(Actor actor, string domainName, TextWriter writer, bool withPasswords, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, withPasswords ? "domain.export-with-passwords" : "domain.export", domainName, async () =>
        {
            var domain = await AllowedDomainAsync(actor, domainName, Verb.Get, cancellationToken);
            foreach (var kind in Kinds(domain))
                await _guard.RequireAsync(actor, AccessGuard.KindOf(kind), Verb.Get, AccessGuard.ScopeOf(domain), cancellationToken);
            if (withPasswords)
                await RequireResetOfAllAsync(actor, domain, cancellationToken);
            await _ldif.ExportAsync(domain.Id, writer, withPasswords, cancellationToken);
        });

    /// <summary>Makes the accounts and groups of an LDIF file.</summary>
    public Task<LdifImport> ImportAsync(Actor actor, string domainName, TextReader reader, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "domain.import", domainName, async () =>
        {
            var domain = await AllowedDomainAsync(actor, domainName, Verb.Get, cancellationToken);
            var scope = AccessGuard.ScopeOf(domain);
            await _guard.RequireAsync(actor, ResourceKind.User, Verb.Create, scope, cancellationToken);
            await _guard.RequireAsync(actor, ResourceKind.Group, Verb.Update, scope, cancellationToken);
            var permits = new LdifPermits(
                entry => _guard.RequireAsync(actor, AccessGuard.KindOf(entry.Kind), Verb.Create, scope, cancellationToken),
                group => _guard.RequireCoverAsync(actor, group, cancellationToken));
            return await _ldif.ImportAsync(domain.Id, reader, permits, cancellationToken);
        });

    /// <summary>Entries of a kind in the order of their names.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="domainName">Domain.</param>
    /// <param name="kind">Kind.</param>
    /// <param name="after">Only names greater than this one; null: from the first.</param>
    /// <param name="limit">Most entries, 1 to <see cref="AccountLimits.PageCount"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<IReadOnlyList<DirectoryEntry>> ListAsync(Actor actor, string domainName, EntryKind kind, string? after, int limit, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, Action(kind, "list"), domainName, async () =>
        {
            if (limit is < 1 or > AccountLimits.PageCount)
                throw new CandelaException(ErrorCode.InvalidArgument, $"limit is 1 to {AccountLimits.PageCount}, not {limit}");
            var domain = EntryReference.FindDomain(_directory.Current, domainName);
            await _guard.RequireAsync(actor, AccessGuard.KindOf(kind), Verb.List, AccessGuard.ScopeOf(domain), cancellationToken);
            return _directory.Current.List(domain.Id, kind, after, limit);
        });

    /// <summary>One entry.</summary>
    public Task<DirectoryEntry> GetAsync(Actor actor, EntryReference reference, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, Action(reference.Kind, "get"), Target(reference), () => AllowedAsync(actor, reference, Verb.Get, cancellationToken));

    /// <summary>Makes an account or group.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="domainName">Domain.</param>
    /// <param name="make">Makes the entry for the domain's id.</param>
    /// <param name="password">Password of an account; null: none.</param>
    /// <param name="mustChange">The password is only good for choosing another one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<T> CreateAsync<T>(Actor actor, string domainName, Func<Guid, T> make, string? password, bool mustChange, CancellationToken cancellationToken)
        where T : DirectoryEntry
    {
        var entry = make(Guid.Empty);
        return _guard.RunAsync(actor, Action(entry.Kind, "create"), $"{entry.Name}@{domainName}", async () =>
        {
            var domain = EntryReference.FindDomain(_directory.Current, domainName);
            await _guard.RequireAsync(actor, AccessGuard.KindOf(entry.Kind), Verb.Create, AccessGuard.ScopeOf(domain), cancellationToken);
            entry = make(domain.Id);
            return password is null
                ? await _directory.CreateAsync(entry, cancellationToken)
                : await _credentials.CreateAsync(entry, password, mustChange, cancellationToken);
        });
    }

    /// <summary>Changes an account or group.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="reference">Which.</param>
    /// <param name="change">What.</param>
    /// <param name="expectedRevision">Revision that it must have; null: any.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<T> UpdateAsync<T>(Actor actor, EntryReference reference, Func<T, T> change, long? expectedRevision, CancellationToken cancellationToken)
        where T : DirectoryEntry =>
        _guard.RunAsync(actor, Action(reference.Kind, "update"), Target(reference), async () =>
        {
            var entry = (T)await AllowedAsync(actor, reference, Verb.Update, cancellationToken);
            CheckRevision(entry.Name, entry.Revision, expectedRevision);
            var changed = change(entry);
            if (changed.Enabled && !entry.Enabled)
                await _guard.RequireCoverAsync(actor, entry, cancellationToken); // gives its rights back
            return await _directory.UpdateAsync(changed, cancellationToken);
        });

    /// <summary>Makes a group with members, both or nothing.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="domainName">Domain.</param>
    /// <param name="name">Name.</param>
    /// <param name="make">Makes the group for the domain's id, and says its members.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<Group> CreateGroupAsync(
        Actor actor, string domainName, string name, Func<Guid, (Group Group, IReadOnlyCollection<Guid> MemberIds)> make, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, Action(EntryKind.Group, "create"), $"{name}@{domainName}", async () =>
        {
            var domain = EntryReference.FindDomain(_directory.Current, domainName);
            await _guard.RequireAsync(actor, ResourceKind.Group, Verb.Create, AccessGuard.ScopeOf(domain), cancellationToken);
            var (group, memberIds) = make(domain.Id);
            return await _directory.CreateGroupAsync(group, memberIds, cancellationToken);
        });

    /// <summary>Changes a group and its members, both or nothing.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="reference">Which.</param>
    /// <param name="change">What, and whom to take in and out.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<Group> UpdateGroupAsync(
        Actor actor, EntryReference reference, Func<Group, (Group Changed, IReadOnlyCollection<Guid> AddedIds, IReadOnlyCollection<Guid> RemovedIds)> change, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, Action(EntryKind.Group, "update"), Target(reference), async () =>
        {
            var group = (Group)await AllowedAsync(actor, reference, Verb.Update, cancellationToken);
            var (changed, added, removed) = change(group);
            // New members come by all that the group has; enabled again, its present ones do.
            if (added.Count > 0 || (changed.Enabled && !group.Enabled))
                await _guard.RequireCoverAsync(actor, group, cancellationToken);
            return await _directory.UpdateGroupAsync(changed, added, removed, cancellationToken);
        });

    /// <summary>Removes an account or group.</summary>
    public Task DeleteAsync(Actor actor, EntryReference reference, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, Action(reference.Kind, "delete"), Target(reference), async () =>
            await _directory.DeleteAsync((await AllowedAsync(actor, reference, Verb.Delete, cancellationToken)).Id, expectedRevision: null, cancellationToken));

    /// <summary>Direct members of a group, in the order of their names.</summary>
    public Task<IReadOnlyList<DirectoryEntry>> ListMembersAsync(Actor actor, EntryReference group, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "group.members", Target(group), async () =>
        {
            var found = await AllowedAsync(actor, group, Verb.Get, cancellationToken);
            var current = _directory.Current;
            return (IReadOnlyList<DirectoryEntry>)[.. current.MembersOf(found.Id).Select(current.Get).OfType<DirectoryEntry>().OrderBy(member => member.Name, EntryName.Comparer)];
        });

    /// <summary>Takes an entry into a group.</summary>
    /// <returns>False: it was a member already.</returns>
    public Task<bool> AddMemberAsync(Actor actor, EntryReference group, EntryReference member, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "group.add-member", $"{Target(group)} {Target(member)}", async () =>
        {
            var found = await AllowedAsync(actor, group, Verb.Update, cancellationToken);
            // The member comes by all that the group has.
            await _guard.RequireCoverAsync(actor, found, cancellationToken);
            return await _directory.AddMemberAsync(found.Id, Existing(member).Id, cancellationToken);
        });

    /// <summary>Takes an entry out of a group.</summary>
    /// <returns>False: it was no direct member.</returns>
    public Task<bool> RemoveMemberAsync(Actor actor, EntryReference group, EntryReference member, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "group.remove-member", $"{Target(group)} {Target(member)}", async () =>
            await _directory.RemoveMemberAsync((await AllowedAsync(actor, group, Verb.Update, cancellationToken)).Id, Existing(member).Id, cancellationToken));

    /// <summary>What an account proves itself by.</summary>
    public Task<CredentialStatus> GetCredentialsAsync(Actor actor, EntryReference account, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "credential.get", Target(account), async () =>
            await _credentials.GetStatusAsync((await AllowedAsync(actor, account, Verb.Get, cancellationToken)).Id, cancellationToken));

    /// <summary>Sets an account's password in its owner's stead.</summary>
    public Task ResetPasswordAsync(Actor actor, EntryReference account, string password, bool mustChange, CancellationToken cancellationToken) =>
        ResetAsync(actor, "credential.reset-password", account, found => _credentials.SetPasswordAsync(found.Id, password, mustChange, cancellationToken), cancellationToken);

    /// <summary>Takes an account's second factor and recovery codes away.</summary>
    public Task RemoveSecondFactorAsync(Actor actor, EntryReference account, CancellationToken cancellationToken) =>
        ResetAsync(actor, "credential.remove-second-factor", account, found => _credentials.RemoveTotpAsync(found.Id, cancellationToken), cancellationToken);

    /// <summary>Ends an account's lock.</summary>
    public Task UnlockAsync(Actor actor, EntryReference account, CancellationToken cancellationToken) =>
        ResetAsync(actor, "credential.unlock", account, found => _credentials.UnlockAsync(found.Id, cancellationToken), cancellationToken);

    private static string Action(EntryKind kind, string verb) => $"{new Permission(AccessGuard.KindOf(kind), default).ToString().Split(':')[0]}.{verb}";

    private static string Target(EntryReference reference) => $"{reference.Name}@{reference.Domain}";

    private static void CheckRevision(string what, long revision, long? expected)
    {
        if (expected is { } wanted && wanted != revision)
            throw new CandelaException(ErrorCode.Conflict, $"Somebody changed {what} meanwhile: read it again, then repeat the change.");
    }

    private Task ResetAsync(Actor actor, string action, EntryReference account, Func<DirectoryEntry, Task> reset, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, action, Target(account), async () =>
        {
            var found = await AllowedAsync(actor, account, Verb.Reset, cancellationToken);
            // Who knows the password comes by all that the account may do.
            await _guard.RequireCoverAsync(actor, found, cancellationToken);
            await reset(found);
        });

    /// <summary>Kinds of entries that the domain has.</summary>
    private IEnumerable<EntryKind> Kinds(Domain domain) => Enum.GetValues<EntryKind>().Where(kind => _directory.Current.Count(domain.Id, kind) > 0);

    /// <summary>The actor may set every account's password: who has a hash can try passwords at leisure.</summary>
    private async Task RequireResetOfAllAsync(Actor actor, Domain domain, CancellationToken cancellationToken)
    {
        var current = _directory.Current;
        foreach (var kind in Kinds(domain).Where(kind => kind != EntryKind.Group))
        {
            await _guard.RequireAsync(actor, AccessGuard.KindOf(kind), Verb.Reset, AccessGuard.ScopeOf(domain), cancellationToken);
            foreach (var account in current.List(domain.Id, kind, after: null, limit: int.MaxValue))
                await _guard.RequireCoverAsync(actor, account, cancellationToken);
        }
    }

    private async Task<Domain> AllowedDomainAsync(Actor actor, string name, Verb verb, CancellationToken cancellationToken)
    {
        var domain = EntryReference.FindDomain(_directory.Current, name);
        await _guard.RequireAsync(actor, ResourceKind.Domain, verb, AccessGuard.ScopeOf(domain), cancellationToken);
        return domain;
    }

    private DirectoryEntry Existing(EntryReference reference) =>
        reference.Find(_directory.Current, EntryReference.FindDomain(_directory.Current, reference.Domain)) ?? throw Missing(reference);

    private async Task<DirectoryEntry> AllowedAsync(Actor actor, EntryReference reference, Verb verb, CancellationToken cancellationToken)
    {
        var domain = EntryReference.FindDomain(_directory.Current, reference.Domain);
        var (kind, scope) = (AccessGuard.KindOf(reference.Kind), AccessGuard.ScopeOf(domain));
        var entry = reference.Find(_directory.Current, domain);
        // Whether it exists is for those to know who may do this to any.
        await _guard.RequireAsync(actor, kind, verb, entry is null ? scope : scope.Resource(kind, entry.Id.ToString()), cancellationToken);
        return entry ?? throw Missing(reference);
    }

    private static CandelaException Missing(EntryReference reference) =>
        new(ErrorCode.NotFound, $"No such {reference.Kind switch { EntryKind.ServiceAccount => "service account", var kind => kind.ToString().ToLowerInvariant() }}: {Target(reference)}");
}
