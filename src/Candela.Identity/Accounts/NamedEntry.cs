namespace Candela.Identity.Accounts;

/// <summary>An entry in the order of names; without the entry, something to look for.</summary>
internal readonly record struct NamedEntry(string Name, DirectoryEntry? Entry) : IComparable<NamedEntry>
{
    public int CompareTo(NamedEntry other) => EntryName.Comparer.Compare(Name, other.Name);
}
