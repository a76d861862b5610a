using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Search;

/// <summary>Nodes in the scope of a search, in order.</summary>
internal static class NodeWalk
{
    /// <summary>Entries that are listed at a time.</summary>
    private const int ListCount = 256;

    /// <summary>Nodes that could match.</summary>
    /// <param name="start">Base of the search.</param>
    /// <param name="scope">How far.</param>
    /// <param name="candidates">Entries that could match; null: all.</param>
    /// <param name="after">Only nodes after this position.</param>
    public static IEnumerable<TreeNode> Walk(TreeNode start, SearchScope scope, IReadOnlyCollection<Guid>? candidates, NodePosition after)
    {
        if (scope != SearchScope.SingleLevel && NodePosition.Of(start).CompareTo(after) > 0)
            yield return start;
        if (scope == SearchScope.BaseObject || start.Kind is not (NodeKind.Domain or NodeKind.Unit))
            yield break;
        var entries = candidates is null ? null : Sort(start, candidates);
        foreach (var unit in start.Kind == NodeKind.Unit ? [start.Unit] : DirectoryTree.Units)
        {
            if (start.Kind == NodeKind.Domain)
            {
                var node = TreeNode.Of(start.Directory, start.Domain, unit);
                if (NodePosition.Of(node).CompareTo(after) > 0)
                    yield return node;
                if (scope == SearchScope.SingleLevel)
                    continue;
            }

            foreach (var entry in entries is null ? List(start, unit, after) : entries.Where(entry => entry.Kind == unit))
            {
                var node = TreeNode.Of(start.Directory, start.Domain, entry);
                if (NodePosition.Of(node).CompareTo(after) > 0)
                    yield return node;
            }
        }
    }

    private static List<DirectoryEntry> Sort(TreeNode start, IReadOnlyCollection<Guid> candidates)
    {
        var entries = new List<DirectoryEntry>(candidates.Count);
        foreach (var id in candidates)
        {
            if (start.Directory.Get(id) is { } entry && entry.DomainId == start.Domain.Id && (start.Kind == NodeKind.Domain || entry.Kind == start.Unit))
                entries.Add(entry);
        }

        if (entries.Count > 1)
            entries.Sort((one, other) => EntryName.Comparer.Compare(one.Name, other.Name));
        return entries;
    }

    private static IEnumerable<DirectoryEntry> List(TreeNode start, EntryKind unit, NodePosition after)
    {
        int rank = 2 * (int)unit + 2;
        if (after.Rank > rank)
            yield break;
        var from = after.Rank == rank ? after.Name : null;
        while (true)
        {
            var page = start.Directory.List(start.Domain.Id, unit, from, ListCount);
            foreach (var entry in page)
                yield return entry;
            if (page.Count < ListCount)
                yield break;
            from = page[^1].Name;
        }
    }
}
