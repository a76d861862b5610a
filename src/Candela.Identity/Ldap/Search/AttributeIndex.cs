using System.Collections.Frozen;
using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Tree;
using Candela.Identity.Storage;

namespace Candela.Identity.Ldap.Search;

/// <summary>
/// Which entries of a domain have an attribute, or a value of it. Says which could: hashes may collide and entries may have changed, so
/// whoever asks looks at the entries themselves. A value that very many have is not kept, since looking at all entries is as good then.
/// Safe for use from many threads.
/// </summary>
internal sealed class AttributeIndex : IReplicaIndex
{
    /// <summary>Most entries that are kept for a value.</summary>
    public const int PostingCount = 4096;

    private const int ShardCount = 16;

    private static readonly FrozenSet<AttributeType> Left = new[]
    {
        AttributeTypes.ObjectClass, AttributeTypes.Member, AttributeTypes.MemberUid, AttributeTypes.UserPassword, // known from elsewhere, or never asked
    }.ToFrozenSet();

    private Shard[] _shards = NewShards();

    /// <summary>The index has the type.</summary>
    public static bool Covers(AttributeType type) => !type.IsOperational && type.Equality is not null && !Left.Contains(type);

    /// <inheritdoc/>
    public void Reset(DirectorySnapshot directory)
    {
        var shards = NewShards();
        foreach (var entry in directory.Entries)
            ForEachKey(directory, entry, key => Of(shards, key).Add(key, entry.Id));
        Volatile.Write(ref _shards, shards);
    }

    /// <inheritdoc/>
    public void Add(DirectorySnapshot directory, DirectoryEntry entry)
    {
        var shards = _shards;
        ForEachKey(directory, entry, key => Of(shards, key).Add(key, entry.Id));
    }

    /// <inheritdoc/>
    public void Remove(DirectorySnapshot directory, DirectoryEntry former, DirectoryEntry? now)
    {
        var shards = _shards;
        var kept = new HashSet<ulong>();
        if (now is not null)
            ForEachKey(directory, now, key => kept.Add(key));
        ForEachKey(directory, former, key =>
        {
            if (!kept.Contains(key))
                Of(shards, key).Remove(key, former.Id);
        });
    }

    /// <summary>Entries that could have a value; null: too many to be kept.</summary>
    /// <param name="domainId">Domain.</param>
    /// <param name="type">Type that the index has.</param>
    /// <param name="prepared">Value, prepared by the type's rule of equality; null: whatever value.</param>
    public Guid[]? Find(Guid domainId, AttributeType type, string? prepared)
    {
        var key = KeyOf(domainId, type.Key, prepared);
        return Of(Volatile.Read(ref _shards), key).Find(key);
    }

    private static Shard[] NewShards() => [.. Enumerable.Range(0, ShardCount).Select(_ => new Shard())];

    private static Shard Of(Shard[] shards, ulong key) => shards[key % ShardCount];

    // String hashes are keyed at random, so that nobody can make values collide on purpose.
    private static ulong KeyOf(Guid domainId, ReadOnlySpan<char> attribute, ReadOnlySpan<char> prepared, bool isPresence = false) =>
        ((ulong)(uint)HashCode.Combine(domainId, string.GetHashCode(attribute), isPresence) << 32) | (uint)(isPresence ? 0 : string.GetHashCode(prepared));

    private static ulong KeyOf(Guid domainId, string attribute, string? prepared) => KeyOf(domainId, attribute, prepared, isPresence: prepared is null);

    private static void ForEachKey(DirectorySnapshot directory, DirectoryEntry entry, Action<ulong> visit)
    {
        if (directory.GetDomain(entry.DomainId) is not { } domain)
            return;
        var node = TreeNode.Of(directory, domain, entry);
        var values = new List<string>();
        var attributes = NodeAttributes.Of(entry.Kind);
        foreach (var (type, source) in attributes.All)
        {
            if (!Covers(type))
                continue;
            values.Clear();
            source(node, values);
            Visit(type, type.Key, values);
        }

        foreach (var (name, further) in entry.Attributes)
        {
            int end = name.IndexOf(';', StringComparison.Ordinal);
            var attribute = end < 0 ? name : name[..end];
            if (!attributes.Owns(name) && (LdapSchema.FindAttribute(attribute) ?? AttributeType.Unknown(attribute)) is var type && Covers(type))
                Visit(type, attribute, further);
        }

        void Visit(AttributeType type, string attribute, IReadOnlyList<string> all)
        {
            if (all.Count > 0)
                visit(KeyOf(entry.DomainId, attribute, null));
            foreach (var value in all)
            {
                if (type.Equality!.Prepare(value) is { } prepared)
                    visit(KeyOf(entry.DomainId, attribute, prepared));
            }
        }
    }

    private sealed class Shard
    {
        /// <summary>Stands for more than can be kept.</summary>
        private static readonly object Many = new();

        private readonly Lock _gate = new();

        // One entry's id, a HashSet of several, or Many.
        private readonly Dictionary<ulong, object> _postings = [];

        public void Add(ulong key, Guid id)
        {
            lock (_gate)
            {
                switch (_postings.GetValueOrDefault(key))
                {
                    case null:
                        _postings[key] = id;
                        break;
                    case Guid one when one != id:
                        _postings[key] = new HashSet<Guid> { one, id };
                        break;
                    case HashSet<Guid> several when several.Add(id) && several.Count > PostingCount:
                        _postings[key] = Many;
                        break;
                }
            }
        }

        public void Remove(ulong key, Guid id)
        {
            lock (_gate)
            {
                switch (_postings.GetValueOrDefault(key))
                {
                    case Guid one when one == id:
                        _postings.Remove(key);
                        break;
                    case HashSet<Guid> several when several.Remove(id) && several.Count == 0:
                        _postings.Remove(key);
                        break;
                }
            }
        }

        public Guid[]? Find(ulong key)
        {
            lock (_gate)
            {
                return _postings.GetValueOrDefault(key) switch
                {
                    null => [],
                    Guid one => [one],
                    HashSet<Guid> several => [.. several],
                    _ => null,
                };
            }
        }
    }
}
