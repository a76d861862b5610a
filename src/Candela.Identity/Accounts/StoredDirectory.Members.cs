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

    public async Task<Group> CreateGroupAsync(Group group, IReadOnlyCollection<Guid> memberIds, CancellationToken cancellationToken)
    {
        var (members, nesting) = await FindMembersAsync(group, memberIds, removedCount: 0, cancellationToken);
        return await CreateAsync(group, (made, transaction) => AddMembers(transaction, made, members, nesting), cancellationToken);
    }

    public async Task<Group> UpdateGroupAsync(Group group, IReadOnlyCollection<Guid> addedIds, IReadOnlyCollection<Guid> removedIds, CancellationToken cancellationToken)
    {
        var former = GetGroup(group.Id);
        var (members, nesting) = await FindMembersAsync(group, [.. addedIds.Where(id => !Current.IsMember(group.Id, id))], removedIds.Count, cancellationToken);
        if (group != former)
            return await UpdateAsync(group, Change, cancellationToken);
        if (members.Count + removedIds.Count == 0)
            return former;
        var transaction = new StateTransaction().Expect(IdentityKeys.Entry(group.Id), former.Revision);
        Change(transaction);
        return (await writer.TryCommitAsync(transaction, cancellationToken)).FailedKey is null ? former : throw Changed(former.Name);

        void Change(StateTransaction transaction)
        {
            AddMembers(transaction, group, members, nesting);
            foreach (var id in removedIds)
                transaction.Delete(IdentityKeys.Member(group.Id, id));
        }
    }

    private static void AddMembers(StateTransaction transaction, Group group, IReadOnlyCollection<DirectoryEntry> members, long? nesting)
    {
        if (members.Count > 0)
            transaction.Put(IdentityKeys.Links(group.Id), DirectoryWriter.Mark);
        foreach (var member in members)
        {
            transaction
                .Expect(IdentityKeys.Entry(member.Id), member.Revision)
                .Put(IdentityKeys.Member(group.Id, member.Id), DirectoryWriter.Mark)
                .Put(IdentityKeys.Links(member.Id), DirectoryWriter.Mark);
        }

        if (nesting is { } revision)
            transaction.Expect(IdentityKeys.Nesting(group.DomainId), revision).Put(IdentityKeys.Nesting(group.DomainId), DirectoryWriter.Mark);
    }

    /// <summary>Entries that are to be taken in, checked; and, if groups are among them, the revision of the nesting that was checked.</summary>
    private async Task<(IReadOnlyCollection<DirectoryEntry> Members, long? Nesting)> FindMembersAsync(
        Group group, IReadOnlyCollection<Guid> ids, int removedCount, CancellationToken cancellationToken)
    {
        if (ids.Count + removedCount > AccountLimits.MemberChangeCount)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"One change takes at most {AccountLimits.MemberChangeCount} members in or out: make several changes.");
        if (Current.MembersOf(group.Id).Count + ids.Count - removedCount > AccountLimits.MemberCount)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"Group {group.Name} would have more than {AccountLimits.MemberCount} members, the most there can be: make more groups.");
        bool hasGroups = ids.Any(id => GetEntry(id) is Group);
        long? nesting = hasGroups ? await writer.RevisionAsync(IdentityKeys.Nesting(group.DomainId), cancellationToken) : null;
        var current = hasGroups ? (await replica.RefreshAsync(cancellationToken)).Directory : Current;
        var members = ids.Distinct().Select(GetEntry).ToArray();
        foreach (var member in members)
            CheckMember(current, group, member);
        return (members, nesting);
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
