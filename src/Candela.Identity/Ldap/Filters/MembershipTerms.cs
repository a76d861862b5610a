using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Access;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Search;

namespace Candela.Identity.Ldap.Filters;

/// <summary>The group has a member; answered without listing its members.</summary>
/// <param name="memberId">Member.</param>
/// <param name="isDeep">Through other groups, too.</param>
internal sealed class MemberTerm(Guid memberId, bool isDeep) : MatchTerm
{
    public override bool? Matches(MatchContext context) =>
        context.Node.OwnEntry is Group group && ReadableAttributes.Contains(context.Level, AttributeTypes.Member) &&
        (isDeep ? context.Node.Directory.EffectiveGroups(memberId).Contains(group.Id) : context.Node.Directory.IsMember(group.Id, memberId));

    public override IReadOnlyCollection<Guid>? FindCandidates(CandidateSource source) =>
        isDeep ? [.. source.Directory.EffectiveGroups(memberId)] : source.Directory.GroupsOf(memberId);
}

/// <summary>The group has a user of this name, through other groups, too, as <c>memberUid</c> shows them.</summary>
internal sealed class MemberNameTerm(string name) : MatchTerm
{
    public override bool? Matches(MatchContext context) =>
        context.Node.OwnEntry is Group group && ReadableAttributes.Contains(context.Level, AttributeTypes.MemberUid) &&
        FindUser(context.Node.Directory, group.DomainId) is { } user && context.Node.Directory.EffectiveGroups(user.Id).Contains(group.Id);

    public override IReadOnlyCollection<Guid>? FindCandidates(CandidateSource source) =>
        FindUser(source.Directory, source.DomainId) is { } user ? [.. source.Directory.EffectiveGroups(user.Id)] : [];

    // caseExactIA5Match (RFC 2307, 3): another spelling of the name is another value.
    private User? FindUser(DirectorySnapshot directory, Guid domainId) => directory.Find(domainId, EntryKind.User, name) is User user && user.Name == name ? user : null;
}

/// <summary>The entry is in a group.</summary>
/// <param name="groupId">Group.</param>
/// <param name="isDeep">Through other groups, too.</param>
internal sealed class MemberOfTerm(Guid groupId, bool isDeep) : MatchTerm
{
    public override bool? Matches(MatchContext context) =>
        context.Node.OwnEntry is { } entry && ReadableAttributes.Contains(context.Level, AttributeTypes.MemberOf) && context.Node.Directory.Get<Group>(groupId) is { Enabled: true } &&
        (isDeep ? context.Node.Directory.EffectiveGroups(entry.Id).Contains(groupId) : context.Node.Directory.IsMember(groupId, entry.Id));

    public override IReadOnlyCollection<Guid>? FindCandidates(CandidateSource source) => isDeep ? null : source.Directory.MembersOf(groupId);
}
