using Candela.Model;

namespace Candela.Identity.Accounts;

/// <summary>
/// Domains, accounts and groups. Reading is done on <see cref="Current"/>, a consistent view in memory that follows the state store; each
/// change is one transaction of the store and is in <see cref="Current"/> when its call returns. Says nothing about who may do what: that is
/// the caller's to ask. Failures are <see cref="CandelaException"/>s. Safe for use from many threads.
/// </summary>
public interface IDirectory
{
    /// <summary>The directory as it is now; changes of other controllers appear within moments.</summary>
    DirectorySnapshot Current { get; }

    /// <summary>Makes a domain.</summary>
    /// <param name="domain">Name, tenant and what else is wanted; id, times and revision are set here.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">InvalidArgument; AlreadyExists: the name is taken, or the tenant has a domain.</exception>
    Task<Domain> CreateDomainAsync(Domain domain, CancellationToken cancellationToken);

    /// <summary>The domain of a tenant, made if there is none; its name is the tenant's.</summary>
    /// <exception cref="CandelaException">InvalidArgument: no name for a domain; AlreadyExists: another tenant's domain has it.</exception>
    Task<Domain> EnsureTenantDomainAsync(string tenant, CancellationToken cancellationToken);

    /// <summary>Changes a domain; name and tenant stay.</summary>
    /// <param name="domain">The domain as it is to be, with the revision it was read with.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">InvalidArgument; NotFound; Conflict: it was changed meanwhile.</exception>
    Task<Domain> UpdateDomainAsync(Domain domain, CancellationToken cancellationToken);

    /// <summary>Removes a domain without entries.</summary>
    /// <exception cref="CandelaException">NotFound; Conflict: it has entries, or is the system domain.</exception>
    Task DeleteDomainAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>Makes an account or group.</summary>
    /// <param name="entry">What is wanted; times and revision are set here, and an id when it has none.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">InvalidArgument; NotFound: no such domain; AlreadyExists: the name, id or Unix number is taken.</exception>
    Task<T> CreateAsync<T>(T entry, CancellationToken cancellationToken)
        where T : DirectoryEntry;

    /// <summary>Changes an account or group; with another name, it is renamed.</summary>
    /// <param name="entry">The entry as it is to be, with the revision it was read with; id, kind, domain and creation time stay.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">InvalidArgument; NotFound; Conflict: it was changed meanwhile; AlreadyExists: the new name or number is taken.</exception>
    Task<T> UpdateAsync<T>(T entry, CancellationToken cancellationToken)
        where T : DirectoryEntry;

    /// <summary>Removes an account or group with its memberships and all that belongs to it.</summary>
    /// <param name="id">Id.</param>
    /// <param name="expectedRevision">Revision that it must have; null: any.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">NotFound; Conflict: it was changed meanwhile.</exception>
    Task DeleteAsync(Guid id, long? expectedRevision, CancellationToken cancellationToken);

    /// <summary>Makes a group with members, both or nothing.</summary>
    /// <param name="group">As for <see cref="CreateAsync"/>.</param>
    /// <param name="memberIds">Members; at most <see cref="AccountLimits.MemberChangeCount"/>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">As <see cref="CreateAsync"/> and <see cref="AddMemberAsync"/>.</exception>
    Task<Group> CreateGroupAsync(Group group, IReadOnlyCollection<Guid> memberIds, CancellationToken cancellationToken);

    /// <summary>Changes a group and its members, both or nothing. A group that stays as it is counts as not changed.</summary>
    /// <param name="group">As for <see cref="UpdateAsync"/>.</param>
    /// <param name="addedIds">Whom to take in; members already count as done. With the next, at most <see cref="AccountLimits.MemberChangeCount"/>.</param>
    /// <param name="removedIds">Whom to take out.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">As <see cref="UpdateAsync"/> and <see cref="AddMemberAsync"/>.</exception>
    Task<Group> UpdateGroupAsync(Group group, IReadOnlyCollection<Guid> addedIds, IReadOnlyCollection<Guid> removedIds, CancellationToken cancellationToken);

    /// <summary>Takes an entry into a group of the same domain.</summary>
    /// <returns>False: it was a member already.</returns>
    /// <exception cref="CandelaException">
    /// NotFound; InvalidArgument: not a group, of another domain, or the group would come to contain itself or be nested too deeply;
    /// ResourceExhausted: too many members.
    /// </exception>
    Task<bool> AddMemberAsync(Guid groupId, Guid memberId, CancellationToken cancellationToken);

    /// <summary>Takes an entry out of a group.</summary>
    /// <returns>False: it was no direct member.</returns>
    /// <exception cref="CandelaException">NotFound: no such group.</exception>
    Task<bool> RemoveMemberAsync(Guid groupId, Guid memberId, CancellationToken cancellationToken);

    /// <summary>Changes in order, from a revision (inclusive, greater than 0) on; goes on until cancelled.</summary>
    /// <param name="fromRevision">For what follows a snapshot: its <see cref="DirectorySnapshot.Revision"/> + 1.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <exception cref="State.StateCompactedException">The history does not reach back that far: read <see cref="Current"/> and go on from it.</exception>
    IAsyncEnumerable<DirectoryChange> WatchAsync(long fromRevision, CancellationToken cancellationToken);
}

/// <summary>A change of the directory.</summary>
/// <param name="Revision">Its revision; all changes of one revision happened together.</param>
public abstract record DirectoryChange(long Revision);

/// <summary>A domain was made or changed.</summary>
/// <param name="Revision">Its revision.</param>
/// <param name="Domain">The domain now.</param>
public sealed record DomainStored(long Revision, Domain Domain) : DirectoryChange(Revision);

/// <summary>A domain was removed.</summary>
/// <param name="Revision">Its revision.</param>
/// <param name="DomainId">The domain.</param>
public sealed record DomainDeleted(long Revision, Guid DomainId) : DirectoryChange(Revision);

/// <summary>An entry was made or changed.</summary>
/// <param name="Revision">Its revision.</param>
/// <param name="Entry">The entry now.</param>
public sealed record EntryStored(long Revision, DirectoryEntry Entry) : DirectoryChange(Revision);

/// <summary>An entry was removed.</summary>
/// <param name="Revision">Its revision.</param>
/// <param name="EntryId">The entry.</param>
public sealed record EntryDeleted(long Revision, Guid EntryId) : DirectoryChange(Revision);

/// <summary>An entry was taken into a group, or out of it.</summary>
/// <param name="Revision">Its revision.</param>
/// <param name="GroupId">The group.</param>
/// <param name="MemberId">The entry.</param>
/// <param name="IsMember">Whether it is a member now.</param>
public sealed record MembershipChanged(long Revision, Guid GroupId, Guid MemberId, bool IsMember) : DirectoryChange(Revision);
