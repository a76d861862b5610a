using System.Collections.Immutable;

namespace Candela.Identity.Accounts;

/// <summary>Makes the next snapshot out of one and the changes since.</summary>
internal sealed class DirectoryBuilder
{
    private readonly ImmutableDictionary<Guid, Domain>.Builder _domains;
    private readonly ImmutableDictionary<Guid, DirectoryEntry>.Builder _entries;
    private readonly ImmutableDictionary<(Guid, EntryKind), ImmutableSortedSet<NamedEntry>>.Builder _names;
    private readonly ImmutableDictionary<Guid, ImmutableHashSet<Guid>>.Builder _members;
    private readonly ImmutableDictionary<Guid, ImmutableHashSet<Guid>>.Builder _groups;

    // Sets that are being changed: turned into immutable ones when the snapshot is made.
    private readonly Dictionary<(Guid, EntryKind), ImmutableSortedSet<NamedEntry>.Builder> _openNames = [];
    private readonly Dictionary<Guid, ImmutableHashSet<Guid>.Builder> _openMembers = [];
    private readonly Dictionary<Guid, ImmutableHashSet<Guid>.Builder> _openGroups = [];

    // Entries that were changed, as they were before the first change.
    private readonly Dictionary<Guid, DirectoryEntry?> _former = [];

    public DirectoryBuilder(
        ImmutableDictionary<Guid, Domain> domains,
        ImmutableDictionary<Guid, DirectoryEntry> entries,
        ImmutableDictionary<(Guid, EntryKind), ImmutableSortedSet<NamedEntry>> names,
        ImmutableDictionary<Guid, ImmutableHashSet<Guid>> members,
        ImmutableDictionary<Guid, ImmutableHashSet<Guid>> groups)
    {
        _domains = domains.ToBuilder();
        _entries = entries.ToBuilder();
        _names = names.ToBuilder();
        _members = members.ToBuilder();
        _groups = groups.ToBuilder();
    }

    public static DirectoryBuilder Empty() => new(
        ImmutableDictionary<Guid, Domain>.Empty,
        ImmutableDictionary<Guid, DirectoryEntry>.Empty,
        ImmutableDictionary<(Guid, EntryKind), ImmutableSortedSet<NamedEntry>>.Empty,
        ImmutableDictionary<Guid, ImmutableHashSet<Guid>>.Empty,
        ImmutableDictionary<Guid, ImmutableHashSet<Guid>>.Empty);

    public void Apply(DirectoryChange change)
    {
        switch (change)
        {
            case DomainStored stored:
                _domains[stored.Domain.Id] = stored.Domain;
                break;
            case DomainDeleted deleted:
                _domains.Remove(deleted.DomainId);
                break;
            case EntryStored stored:
                Forget(stored.Entry.Id);
                _entries[stored.Entry.Id] = stored.Entry;
                Names(stored.Entry).Add(new NamedEntry(stored.Entry.Name, stored.Entry));
                break;
            case EntryDeleted deleted:
                Forget(deleted.EntryId);
                break;
            case MembershipChanged { IsMember: true } added:
                Open(_members, _openMembers, added.GroupId).Add(added.MemberId);
                Open(_groups, _openGroups, added.MemberId).Add(added.GroupId);
                break;
            case MembershipChanged removed:
                Open(_members, _openMembers, removed.GroupId).Remove(removed.MemberId);
                Open(_groups, _openGroups, removed.MemberId).Remove(removed.GroupId);
                break;
        }
    }

    /// <summary>Entries that were changed since this was asked before, as they were and as they are.</summary>
    public IReadOnlyList<(DirectoryEntry? Former, DirectoryEntry? Now)> TakeChanges()
    {
        (DirectoryEntry?, DirectoryEntry?)[] changes = [.. _former.Select(pair => (pair.Value, _entries.GetValueOrDefault(pair.Key)))];
        _former.Clear();
        return changes;
    }

    public DirectorySnapshot Build(long revision)
    {
        foreach (var (key, names) in _openNames)
            _names[key] = names.ToImmutable();
        _openNames.Clear();
        Close(_members, _openMembers);
        Close(_groups, _openGroups);
        return new DirectorySnapshot(
            revision, _domains.ToImmutable(), _entries.ToImmutable(), _names.ToImmutable(), _members.ToImmutable(), _groups.ToImmutable());
    }

    private static ImmutableHashSet<Guid>.Builder Open(
        ImmutableDictionary<Guid, ImmutableHashSet<Guid>>.Builder all, Dictionary<Guid, ImmutableHashSet<Guid>.Builder> open, Guid id)
    {
        if (!open.TryGetValue(id, out var set))
            open[id] = set = all.TryGetValue(id, out var former) ? former.ToBuilder() : ImmutableHashSet.CreateBuilder<Guid>();
        return set;
    }

    private static void Close(
        ImmutableDictionary<Guid, ImmutableHashSet<Guid>>.Builder all, Dictionary<Guid, ImmutableHashSet<Guid>.Builder> open)
    {
        foreach (var (id, set) in open)
        {
            if (set.Count > 0)
                all[id] = set.ToImmutable();
            else
                all.Remove(id);
        }

        open.Clear();
    }

    private void Forget(Guid id)
    {
        _entries.TryGetValue(id, out var former);
        _former.TryAdd(id, former);
        if (former is null)
            return;
        _entries.Remove(id);
        Names(former).Remove(new NamedEntry(former.Name, null));
    }

    private ImmutableSortedSet<NamedEntry>.Builder Names(DirectoryEntry entry)
    {
        var key = (entry.DomainId, entry.Kind);
        if (!_openNames.TryGetValue(key, out var names))
            _openNames[key] = names = _names.TryGetValue(key, out var former) ? former.ToBuilder() : ImmutableSortedSet.CreateBuilder<NamedEntry>();
        return names;
    }
}
