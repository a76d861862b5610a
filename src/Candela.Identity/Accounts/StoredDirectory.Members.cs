using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Accounts;

/// <content>Membership.</content>
internal sealed partial class StoredDirectory
{
    public async Task<bool> AddMemberAsync(Guid groupId, Guid memberId, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            // Read before the check: another nesting in the meantime makes the transaction fail.
            var (group, member) = (GetGroup(groupId), GetEntry(memberId));
            var nesting = member is Group ? await writer.RevisionAsync(IdentityKeys.Nesting(group.DomainId), cancellationToken) : 0;
            var current = member is Group ? (await replica.RefreshAsync(cancellationToken)).Directory : Current;
            if (current.IsMember(groupId, memberId))
                return false;
            CheckMember(current, group, member);
            var transaction = new StateTransaction()
                .Expect(IdentityKeys.Entry(groupId), group.Revision)
                .Expect(IdentityKeys.Entry(memberId), member.Revision)
                .Put(IdentityKeys.Member(groupId, memberId), DirectoryWriter.Mark)
                .Put(IdentityKeys.Links(groupId), DirectoryWriter.Mark)
                .Put(IdentityKeys.Links(memberId), DirectoryWriter.Mark);
            if (member is Group)
                transaction.Expect(IdentityKeys.Nesting(group.DomainId), nesting).Put(IdentityKeys.Nesting(group.DomainId), DirectoryWriter.Mark);
            if ((await writer.TryCommitAsync(transaction, cancellationToken)).FailedKey is null)
                return true;
        }

        throw Busy();
    }

    public async Task<bool> RemoveMemberAsync(Guid groupId, Guid memberId, CancellationToken cancellationToken)
    {
        GetGroup(groupId);
        var current = (await replica.RefreshAsync(cancellationToken)).Directory;
        if (!current.IsMember(groupId, memberId))
            return false;
        await writer.DeleteAsync([IdentityKeys.Member(groupId, memberId)], cancellationToken);
        return true;
    }

    private static void CheckMember(DirectorySnapshot current, Group group, DirectoryEntry member)
    {
        if (member.DomainId != group.DomainId)
            throw new CandelaException(ErrorCode.InvalidArgument, $"{member.Name} is of another domain than group {group.Name}: groups are for their own domain only.");
        if (current.MembersOf(group.Id).Count >= AccountLimits.MemberCount)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"Group {group.Name} has {AccountLimits.MemberCount} members, the most there can be: make more groups.");
        if (member is not Group)
            return;
        if (member.Id == group.Id || current.Contains(member.Id, group.Id))
            throw new CandelaException(ErrorCode.InvalidArgument, $"Group {group.Name} would come to contain itself through {member.Name}.");
        if (current.Depth(group.Id, below: false) + 1 + current.Depth(member.Id, below: true) >= AccountLimits.NestingDepth)
            throw new CandelaException(ErrorCode.InvalidArgument, $"Groups are nested at most {AccountLimits.NestingDepth} deep.");
    }

    private Group GetGroup(Guid id) => GetEntry(id) as Group ?? throw new CandelaException(ErrorCode.InvalidArgument, $"{GetEntry(id).Name} is not a group.");
}
