using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Candela.Network.Firewall;

/// <summary>A range of addresses of one IP version, ends included.</summary>
internal readonly record struct AddressRange(UInt128 First, UInt128 Last, bool IsIpv6)
{
    public static AddressRange Of(IPNetwork network)
    {
        bool isIpv6 = network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
        int bits = (isIpv6 ? 128 : 32) - network.PrefixLength;
        UInt128 first = Number(network.BaseAddress);
        UInt128 size = bits == 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1;
        return new AddressRange(first, first + size, isIpv6);
    }

    public static UInt128 Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int count);
        return count == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    public static byte[] Bytes(UInt128 number, bool isIpv6)
    {
        byte[] bytes = new byte[isIpv6 ? 16 : 4];
        if (isIpv6)
            BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        else
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)number);
        return bytes;
    }
}

/// <summary>
/// The address space of one IP version cut into ranges each of which has the same peers throughout; ranges that no peer has are left out.
/// </summary>
internal sealed class Atoms
{
    private readonly List<Atom> _atoms;

    private Atoms(List<Atom> atoms, bool isIpv6) => (_atoms, IsIpv6) = (atoms, isIpv6);

    /// <summary>A range and the numbers of the peers that have it, ascending.</summary>
    public readonly record struct Atom(UInt128 First, UInt128 Last, int[] Peers);

    public bool IsIpv6 { get; }

    /// <summary>In ascending order, without overlap.</summary>
    public IReadOnlyList<Atom> All => _atoms;

    public static Atoms Of(IEnumerable<(int Number, AddressPeer Peer)> peers, bool isIpv6)
    {
        // Sweep: at each boundary some peers begin to have addresses, or end to.
        UInt128 end = isIpv6 ? UInt128.MaxValue : uint.MaxValue;
        var boundaries = new SortedDictionary<UInt128, List<(int Peer, int Change)>>();
        foreach ((int number, AddressPeer peer) in peers)
        {
            foreach ((UInt128 first, UInt128 last) in RangesOf(peer, isIpv6))
            {
                Change(first, number, 1);
                if (last != end)
                    Change(last + 1, number, -1);
            }
        }

        var atoms = new List<Atom>();
        var current = new SortedDictionary<int, int>();
        UInt128 start = 0;
        foreach ((UInt128 at, List<(int Peer, int Change)> changes) in boundaries)
        {
            Close(at);
            foreach ((int number, int change) in changes)
            {
                int count = current.GetValueOrDefault(number) + change;
                if (count == 0)
                    current.Remove(number);
                else
                    current[number] = count;
            }

            start = at;
        }

        if (current.Count > 0)
            atoms.Add(new Atom(start, end, [.. current.Keys]));
        return new Atoms(atoms, isIpv6);

        void Change(UInt128 at, int peer, int change)
        {
            if (!boundaries.TryGetValue(at, out List<(int, int)>? changes))
                boundaries.Add(at, changes = []);
            changes.Add((peer, change));
        }

        void Close(UInt128 at)
        {
            if (current.Count > 0 && at > start)
                atoms.Add(new Atom(start, at - 1, [.. current.Keys]));
        }
    }

    /// <summary>Numbers of the peers that have an address.</summary>
    public int[] PeersOf(IPAddress address)
    {
        UInt128 number = AddressRange.Number(address);
        int low = 0, high = _atoms.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            Atom atom = _atoms[middle];
            if (number < atom.First)
                high = middle - 1;
            else if (number > atom.Last)
                low = middle + 1;
            else
                return atom.Peers;
        }

        return [];
    }

    private static IEnumerable<(UInt128 First, UInt128 Last)> RangesOf(AddressPeer peer, bool isIpv6)
    {
        foreach (IPAddress address in peer.Addresses.Distinct())
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6 == isIpv6)
                yield return (AddressRange.Number(address), AddressRange.Number(address));
        }

        if (peer.Range is not { } range || range.IsIpv6 != isIpv6)
            yield break;
        UInt128 start = range.First;
        foreach (AddressRange hole in peer.Except.Where(e => e.IsIpv6 == isIpv6 && e.Last >= range.First && e.First <= range.Last).OrderBy(e => e.First))
        {
            if (hole.First > start)
                yield return (start, hole.First - 1);
            if (hole.Last >= range.Last)
                yield break;
            if (hole.Last >= start)
                start = hole.Last + 1;
        }

        yield return (start, range.Last);
    }
}
