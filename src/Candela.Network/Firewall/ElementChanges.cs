using Candela.Network.Nftables;

namespace Candela.Network.Firewall;

/// <summary>Elements that come and go with a change. One that goes and comes again with the same value is left alone.</summary>
internal sealed class ElementChanges
{
    private readonly Dictionary<NftSet, (HashSet<NftElement> Deleted, HashSet<NftElement> Added)> _changes = [];

    public void Delete(IEnumerable<(NftSet Set, NftElement Element)> elements)
    {
        foreach ((NftSet set, NftElement element) in elements)
        {
            (HashSet<NftElement> deleted, HashSet<NftElement> added) = Of(set);
            if (!added.Remove(element))
                deleted.Add(element);
        }
    }

    public void Add(IEnumerable<(NftSet Set, NftElement Element)> elements)
    {
        foreach ((NftSet set, NftElement element) in elements)
        {
            (HashSet<NftElement> deleted, HashSet<NftElement> added) = Of(set);
            if (!deleted.Remove(element))
                added.Add(element);
        }
    }

    /// <summary>Adds what leads from some elements to others.</summary>
    public void Differ(Dictionary<NftSet, HashSet<NftElement>> before, Dictionary<NftSet, HashSet<NftElement>> after)
    {
        foreach ((NftSet set, HashSet<NftElement> elements) in before)
            Delete(elements.Where(e => !after.TryGetValue(set, out HashSet<NftElement>? kept) || !kept.Contains(e)).Select(e => (set, e)));
        foreach ((NftSet set, HashSet<NftElement> elements) in after)
            Add(elements.Where(e => !before.TryGetValue(set, out HashSet<NftElement>? had) || !had.Contains(e)).Select(e => (set, e)));
    }

    public void EmitDeletions(NftBatch batch)
    {
        foreach ((NftSet set, (HashSet<NftElement> deleted, _)) in _changes)
            batch.DeleteElements(set, deleted);
    }

    public void EmitAdditions(NftBatch batch)
    {
        foreach ((NftSet set, (_, HashSet<NftElement> added)) in _changes)
            batch.AddElements(set, added);
    }

    private (HashSet<NftElement> Deleted, HashSet<NftElement> Added) Of(NftSet set)
    {
        if (!_changes.TryGetValue(set, out (HashSet<NftElement>, HashSet<NftElement>) change))
            _changes.Add(set, change = ([], []));
        return change;
    }
}
