using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Tree;
using Candela.Identity.Storage;

namespace Candela.Identity.Ldap.Access;

/// <summary>
/// What somebody may read: of a domain nothing, unless they are an account of it (<see cref="ReadLevel.Login"/> of its users and groups that
/// are enabled) or the authorizer lets them; and all of themselves.
/// </summary>
internal sealed class ReadGuard(IAuthorizer authorizer, IdentityReplica replica)
{
    /// <summary>Looks at a domain with the eyes of an account.</summary>
    /// <exception cref="LdapException">The account cannot sign in any more, or it cannot be known whether it can.</exception>
    public async ValueTask<ReadView> LookAsync(DirectoryEntry account, Domain domain, CancellationToken cancellationToken)
    {
        var subject = Subject.Entry(account.Id);
        var scope = AccessGuard.ScopeOf(domain);
        var isAllowed = new bool[DirectoryTree.Units.Length];
        foreach (var kind in DirectoryTree.Units)
            isAllowed[(int)kind] = Check(await authorizer.DecideAsync(subject, new Permission(AccessGuard.KindOf(kind), Verb.Get), scope, cancellationToken));
        bool isDomainAllowed = Check(await authorizer.DecideAsync(subject, new Permission(ResourceKind.Domain, Verb.Get), scope, cancellationToken));

        // Most have no rights at single entries: then there is no need to ask at each of them.
        var single = replica.Current.GrantsOf(subject).Grants.Where(grant => grant.Binding.Scope.Kind is not null).Select(grant => grant.Binding.Scope.Kind!.Value).ToHashSet();
        return new ReadView(authorizer, account, domain, isAllowed, isDomainAllowed, single);
    }

    /// <summary>Domains that an account may see, in the order of their names.</summary>
    /// <exception cref="LdapException">As <see cref="LookAsync"/>.</exception>
    public async ValueTask<IReadOnlyList<Domain>> DomainsAsync(DirectorySnapshot directory, DirectoryEntry account, CancellationToken cancellationToken)
    {
        var visible = new List<Domain>();
        bool hasGrants = replica.Current.GrantsOf(Subject.Entry(account.Id)).Grants.Length > 0;
        foreach (var domain in hasGrants ? directory.Domains : [directory.GetDomain(account.DomainId)!])
        {
            if ((await LookAsync(account, domain, cancellationToken)).IsDomainVisible)
                visible.Add(domain);
        }

        visible.Sort((one, other) => EntryName.Comparer.Compare(one.Name, other.Name));
        return visible;
    }

    private static bool Check(Decision decision) => decision.Reason switch
    {
        DecisionReason.Stale => throw new LdapException(ResultCode.Unavailable, "the state store does not answer, so rights may have been revoked unseen: try again"),
        DecisionReason.Disabled or DecisionReason.UnknownSubject =>
            throw new LdapException(ResultCode.InsufficientAccessRights, "the account of this connection cannot sign in any more: bind again"),
        _ => decision.Allowed,
    };
}

/// <summary>What one account may read of one domain, at one moment.</summary>
internal sealed class ReadView(
    IAuthorizer authorizer, DirectoryEntry account, Domain domain, bool[] isAllowed, bool isDomainAllowed, IReadOnlySet<ResourceKind> single)
{
    private readonly bool _isMember = account.DomainId == domain.Id;

    /// <summary>The domain may be seen.</summary>
    public bool IsDomainVisible => _isMember || isDomainAllowed || isAllowed.Contains(true) || single.Count > 0;

    /// <summary>How much of a node may be read.</summary>
    public ValueTask<ReadLevel> LevelAsync(TreeNode node, CancellationToken cancellationToken)
    {
        if (node.OwnEntry is not { } entry)
            return new ValueTask<ReadLevel>(isDomainAllowed ? ReadLevel.Full : IsDomainVisible ? ReadLevel.Login : ReadLevel.None);
        if (isAllowed[(int)entry.Kind] || entry.Id == account.Id)
            return new ValueTask<ReadLevel>(ReadLevel.Full);
        var level = _isMember && entry is { Enabled: true, Kind: EntryKind.User or EntryKind.Group } ? ReadLevel.Login : ReadLevel.None;
        return single.Contains(AccessGuard.KindOf(entry.Kind)) ? DecideAsync(entry, level, cancellationToken) : new ValueTask<ReadLevel>(level);
    }

    private async ValueTask<ReadLevel> DecideAsync(DirectoryEntry entry, ReadLevel otherwise, CancellationToken cancellationToken)
    {
        var kind = AccessGuard.KindOf(entry.Kind);
        var scope = AccessGuard.ScopeOf(domain).Resource(kind, entry.Id.ToString());
        var decision = await authorizer.DecideAsync(Subject.Entry(account.Id), new Permission(kind, Verb.Get), scope, cancellationToken);
        return decision.Allowed ? ReadLevel.Full : otherwise;
    }
}
