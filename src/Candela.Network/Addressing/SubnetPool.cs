using System.Net;
using Candela.Model;

namespace Candela.Network.Addressing;

/// <summary>Chooses networks for segments that do not say which they want.</summary>
public static class SubnetPool
{
    // Docker's places first, since users expect them, then what is left of the private ranges (RFC 1918).
    private static readonly (string First, int Count, int PrefixLength, int Step)[] s_ranges =
        [("172.20.0.0", 12, 16, 1 << 16), ("192.168.128.0", 8, 20, 1 << 12), ("10.128.0.0", 2048, 20, 1 << 12)];

    /// <summary>The first network that overlaps none of the given ones (those of the project and those that the host has routes to).</summary>
    /// <exception cref="CandelaException">All are in use.</exception>
    public static IPNetwork Choose(IEnumerable<IPNetwork> used)
    {
        IPNetwork[] taken = [.. used];
        foreach ((string first, int count, int length, int step) in s_ranges)
        {
            UInt128 start = Firewall.AddressRange.Number(IPAddress.Parse(first));
            for (int i = 0; i < count; i++)
            {
                var candidate = new IPNetwork(new IPAddress(Firewall.AddressRange.Bytes(start + (UInt128)(i * step), isIpv6: false)), length);
                if (!taken.Any(t => Overlap(t, candidate)))
                    return candidate;
            }
        }

        throw new CandelaException(ErrorCode.ResourceExhausted, "no private IPv4 network is left for this segment: say which it shall have (--subnet)");
    }

    /// <summary>A unique local network (RFC 4193) that is the same for the same segment everywhere.</summary>
    public static IPNetwork UniqueLocal(string segmentId)
    {
        byte[] hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes("ula " + segmentId));
        byte[] address = new byte[16];
        address[0] = 0xfd;
        hash.AsSpan(0, 7).CopyTo(address.AsSpan(1));
        return new IPNetwork(new IPAddress(address), 64);
    }

    /// <summary>Whether two networks have an address in common.</summary>
    public static bool Overlap(IPNetwork a, IPNetwork b) => a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress);
}
