namespace Candela.Network.Nftables;

/// <summary>Families of tables (linux/netfilter.h).</summary>
internal enum NftFamily : byte
{
    Inet = 1,
    Bridge = 7,
}

/// <summary>A table: all that Candela programs is in tables of its own.</summary>
internal readonly record struct NftTable(NftFamily Family, string Name);

/// <summary>A field of a key or value of a set, with nft's number and length of its type.</summary>
internal readonly record struct NftType(byte Number, byte Bytes, bool IsHostOrder = false)
{
    public static readonly NftType Ipv4 = new(7, 4), Ipv6 = new(8, 16), Mac = new(9, 6), Protocol = new(12, 1), Port = new(13, 2),
        Mark = new(19, 4, true), InterfaceName = new(41, 16, true);

    /// <summary>Bytes in registers, which are filled up to multiples of four.</summary>
    public int RegisterBytes => (Bytes + 3) & ~3;
}

/// <summary>How a set finds elements.</summary>
internal enum NftSetKind
{
    /// <summary>By a hash of the key.</summary>
    Hash,

    /// <summary>By ranges of a key of one field, which must not overlap.</summary>
    Interval,
}

/// <summary>A named set, or a map when it has values.</summary>
internal sealed record NftSet(NftTable Table, string Name, NftType[] Key, NftSetKind Kind = NftSetKind.Hash)
{
    /// <summary>Fields of the values of a map.</summary>
    public NftType[]? Value { get; init; }

    /// <summary>The values of the map are verdicts.</summary>
    public bool IsVerdictMap { get; init; }

    /// <summary>The values of the map are named limits.</summary>
    public bool IsLimitMap { get; init; }

    public int KeyBytes => Key.Sum(f => f.RegisterBytes);
}

/// <summary>What happens to a packet (NF_* and NFT_* of linux/netfilter.h and nf_tables.h).</summary>
internal readonly record struct NftVerdict(int Code, string? Chain = null)
{
    public static readonly NftVerdict Drop = new(0), Accept = new(1), Return = new(-5);

    public static NftVerdict Jump(string chain) => new(-3, chain);

    public static NftVerdict Goto(string chain) => new(-4, chain);
}

/// <summary>Hook of a base chain (linux/netfilter.h, linux/netfilter_bridge.h).</summary>
internal enum NftHook
{
    Prerouting = 0,
    Input = 1,
    Forward = 2,
    Output = 3,
    Postrouting = 4,
}

/// <summary>What makes a chain a base chain.</summary>
internal readonly record struct NftBaseChain(string Type, NftHook Hook, int Priority, NftVerdict Policy);

/// <summary>An element of a set: its key, the last key of its range if it is one, and its value. Keys compare by content.</summary>
internal sealed class NftElement : IEquatable<NftElement>
{
    public required byte[] Key { get; init; }

    /// <summary>Last key of the range, inclusive; in interval sets only.</summary>
    public byte[]? Last { get; init; }

    public byte[]? Value { get; init; }

    public NftVerdict? Verdict { get; init; }

    /// <summary>Name of the limit that the element stands for.</summary>
    public string? Limit { get; init; }

    public bool Equals(NftElement? other) => other is not null && Key.AsSpan().SequenceEqual(other.Key) && Same(Last, other.Last) && Same(Value, other.Value) &&
        Verdict == other.Verdict && Limit == other.Limit;

    public override bool Equals(object? obj) => Equals(obj as NftElement);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Key);
        return hash.ToHashCode();
    }

    private static bool Same(byte[]? a, byte[]? b) => a is null ? b is null : b is not null && a.AsSpan().SequenceEqual(b);
}
