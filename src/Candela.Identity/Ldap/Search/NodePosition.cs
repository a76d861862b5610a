using System.Globalization;
using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Search;

/// <summary>Where a node stands in a domain: the domain, and each unit followed by its entries in the order of their names.</summary>
/// <param name="Rank">0 for the domain; 2u+1 for a unit and 2u+2 for its entries.</param>
/// <param name="Name">Name of the entry; else empty.</param>
internal readonly record struct NodePosition(int Rank, string Name) : IComparable<NodePosition>
{
    /// <summary>Before everything.</summary>
    public static readonly NodePosition Start = new(-1, "");

    public static NodePosition Of(TreeNode node) => node.Kind switch
    {
        NodeKind.Unit => new NodePosition(2 * (int)node.Unit + 1, ""),
        NodeKind.Entry => new NodePosition(2 * (int)node.Unit + 2, node.Entry.Name),
        _ => new NodePosition(0, ""),
    };

    public int CompareTo(NodePosition other) => Rank != other.Rank ? Rank.CompareTo(other.Rank) : EntryName.Comparer.Compare(Name, other.Name);
}

/// <summary>Where the next page begins (RFC 2696). Holds all that is needed, so that nothing is kept between pages; a forged one finds nothing that another search would not.</summary>
/// <param name="After">The last node that was returned.</param>
/// <param name="Count">How many were returned so far.</param>
internal readonly record struct PageCookie(NodePosition After, int Count)
{
    /// <summary>Longest one, bytes.</summary>
    private const int LengthMaximum = 512;

    /// <summary>Bytes to hand out.</summary>
    public byte[] Encode() => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Count}/{After.Rank}/{After.Name}"));

    /// <summary>Reads one; null: not one of ours.</summary>
    public static PageCookie? Decode(ReadOnlySpan<byte> cookie)
    {
        if (cookie.Length > LengthMaximum || Encoding.UTF8.GetString(cookie).Split('/', 3) is not [var count, var rank, var name])
            return null;
        return int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int c) && int.TryParse(rank, NumberStyles.None, CultureInfo.InvariantCulture, out int r)
            ? new PageCookie(new NodePosition(r, name), c)
            : null;
    }
}
