using System.Collections.Immutable;

namespace Candela.Identity.Accounts;

/// <summary>The directory at one revision; never changes. Lookups take well below a microsecond.</summary>
public sealed class DirectorySnapshot
{
    private static readonly EntryKind[] Kinds = Enum.GetValues<EntryKind>();

    private readonly ImmutableDictionary<Guid, Domain> _domains;
    private readonly ImmutableDictionary<Guid, DirectoryEntry> _entries;
    private readonly ImmutableDictionary<(Guid DomainId, EntryKind Kind), ImmutableSortedSet<NamedEntry>> _names;
    private readonly ImmutableDictionary<Guid, ImmutableHashSet<Guid>> _members;
    private readonly ImmutableDictionary<Guid, ImmutableHashSet<Guid>> _groups;

    internal DirectorySnapshot(
        long revision,
        ImmutableDictionary<Guid, Domain> domains,
        ImmutableDictionary<Guid, DirectoryEntry> entries,
        ImmutableDictionary<(Guid DomainId, EntryKind Kind), ImmutableSortedSet<NamedEntry>> names,
        ImmutableDictionary<Guid, ImmutableHashSet<Guid>> members,
        ImmutableDictionary<Guid, ImmutableHashSet<Guid>> groups)
    {
        Revision = revision;
        _domains = domains;
        _entries = entries;
        _names = names;
        _members = members;
        _groups = groups;
    }

    /// <summary>Revision of the state store up to which the directory's changes are here.</summary>
    public long Revision { get; }

    /// <summary>All domains, in no order.</summary>
    public IEnumerable<Domain> Domains => _domains.Values;

    /// <summary>All entries of all domains, in no order.</summary>
    public IEnumerable<DirectoryEntry> Entries => _entries.Values;

    /// <summary>How many entries there are.</summary>
    public int EntryCount => _entries.Count;

    /// <summary>The system domain.</summary>
    /// <exception cref="InvalidOperationException">The directory has not been set up yet.</exception>
    public Domain SystemDomain => FindDomain(Domain.SystemName) ?? throw new InvalidOperationException("The directory has not been set up: there is no system domain.");

    /// <summary>A domain by id.</summary>
    public Domain? GetDomain(Guid id) => _domains.GetValueOrDefault(id);

    /// <summary>A domain by name.</summary>
    public Domain? FindDomain(string name) => _domains.Values.FirstOrDefault(d => EntryName.Comparer.Equals(d.Name, name));

    /// <summary>A tenant's domain.</summary>
    public Domain? FindDomainOfTenant(string tenant) => _domains.Values.FirstOrDefault(d => d.Tenant == tenant);

    /// <summary>An entry by id.</summary>
    public DirectoryEntry? Get(Guid id) => _entries.GetValueOrDefault(id);

    /// <summary>An entry by id, when it is of this type.</summary>
    public T? Get<T>(Guid id)
        where T : DirectoryEntry => Get(id) as T;

    /// <summary>An entry by name, of whatever kind.</summary>
    public DirectoryEntry? Find(Guid domainId, string name)
    {
        foreach (var kind in Kinds)
        {
            if (Find(domainId, kind, name) is { } entry)
                return entry;
        }

        return null;
    }

    /// <summary>An entry by kind and name.</summary>
    public DirectoryEntry? Find(Guid domainId, EntryKind kind, string name) =>
        _names.TryGetValue((domainId, kind), out var names) && names.TryGetValue(new NamedEntry(name, null), out var found) ? found.Entry : null;

    /// <summary>Entries of a kind in the order of their names (ordinal, without regard to case).</summary>
    /// <param name="domainId">Domain.</param>
    /// <param name="kind">Kind.</param>
    /// <param name="after">Only names greater than this one; null: from the first.</param>
    /// <param name="limit">Most entries.</param>
    public IReadOnlyList<DirectoryEntry> List(Guid domainId, EntryKind kind, string? after, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        if (!_names.TryGetValue((domainId, kind), out var names))
            return [];
        int start = 0;
        if (after is not null)
        {
            int index = names.IndexOf(new NamedEntry(after, null));
            start = index < 0 ? ~index : index + 1;
        }

        var page = new DirectoryEntry[Math.Min(limit, names.Count - start)];
        for (int i = 0; i < page.Length; i++)
            page[i] = names[start + i].Entry!;
        return page;
    }

    /// <summary>How many entries of a kind a domain has.</summary>
    public int Count(Guid domainId, EntryKind kind) => _names.TryGetValue((domainId, kind), out var names) ? names.Count : 0;

    /// <summary>Direct members of a group.</summary>
    public IReadOnlyCollection<Guid> MembersOf(Guid groupId) => _members.TryGetValue(groupId, out var members) ? members : [];

    /// <summary>The entry is a direct member of the group.</summary>
    public bool IsMember(Guid groupId, Guid memberId) => _members.TryGetValue(groupId, out var members) && members.Contains(memberId);

    /// <summary>Groups that an entry is a direct member of.</summary>
    public IReadOnlyCollection<Guid> GroupsOf(Guid memberId) => _groups.TryGetValue(memberId, out var groups) ? groups : [];

    /// <summary>Groups that an entry is in, directly or through other groups, disabled ones and what is only reached through them left out.</summary>
    public IReadOnlySet<Guid> EffectiveGroups(Guid memberId)
    {
        var found = new HashSet<Guid>();
        Walk(memberId, GroupsOf, id => Get(id) is Group { Enabled: true }, found);
        return found;
    }

    /// <summary>Accounts that are in a group, directly or through other groups that are enabled; none in a disabled group.</summary>
    public IReadOnlySet<Guid> EffectiveMembers(Guid groupId)
    {
        var found = new HashSet<Guid>();
        if (Get(groupId) is Group { Enabled: true })
            Walk(groupId, MembersOf, id => Get(id) is not Group { Enabled: false }, found);
        found.RemoveWhere(id => Get(id) is Group);
        return found;
    }

    /// <summary>The group contains the entry, directly or through others, disabled ones included; what would close a circle.</summary>
    internal bool Contains(Guid groupId, Guid memberId)
    {
        var found = new HashSet<Guid>();
        Walk(groupId, MembersOf, _ => true, found);
        return found.Contains(memberId);
    }

    /// <summary>Length of the longest chain of groups below (or above) an entry.</summary>
    internal int Depth(Guid id, bool below) => Depth(id, below, []);

    internal DirectoryBuilder ToBuilder() => new(_domains, _entries, _names, _members, _groups);

    private static void Walk(Guid start, Func<Guid, IReadOnlyCollection<Guid>> next, Func<Guid, bool> passes, HashSet<Guid> found)
    {
        var waiting = new Stack<Guid>();
        waiting.Push(start);
        while (waiting.TryPop(out var id))
        {
            foreach (var other in next(id))
            {
                if (passes(other) && found.Add(other))
                    waiting.Push(other);
            }
        }
    }

    private int Depth(Guid id, bool below, Dictionary<Guid, int> known)
    {
        if (known.TryGetValue(id, out int depth))
            return depth;
        foreach (var other in below ? MembersOf(id) : GroupsOf(id))
        {
            if (Get(other) is Group)
                depth = Math.Max(depth, 1 + Depth(other, below, known));
        }

        known[id] = depth;
        return depth;
    }
}
