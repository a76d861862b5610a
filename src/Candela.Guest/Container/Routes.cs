using Candela.Guest.Native;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Container;

/// <summary>Routes of network cards in the container's network namespace (netdevice(7), route(4) of ioctl(2)).</summary>
internal static unsafe class Routes
{
    /// <summary>Adds those that there are not yet.</summary>
    /// <param name="present">Those that there are.</param>
    /// <param name="wanted">Those that there shall be.</param>
    /// <param name="index">Index of the card.</param>
    /// <param name="card">Its name.</param>
    /// <exception cref="AgentFailure">A route is malformed or was refused.</exception>
    public static void Add(IReadOnlyList<GuestRoute> present, IReadOnlyList<GuestRoute> wanted, int index, string card)
    {
        for (var i = 0; i < wanted.Count; i++)
        {
            if (!Has(present, wanted[i]))
                Change(wanted[i], index, card, Linux.SIOCADDRT, "add");
        }
    }

    /// <summary>Removes those that shall not be.</summary>
    /// <returns>Those that remain.</returns>
    /// <inheritdoc cref="Add"/>
    public static IReadOnlyList<GuestRoute> Remove(IReadOnlyList<GuestRoute> present, IReadOnlyList<GuestRoute> wanted, int index, string card)
    {
        List<GuestRoute> kept = [];
        for (var i = 0; i < present.Count; i++)
        {
            if (Has(wanted, present[i]))
                kept.Add(present[i]);
            else
                Change(present[i], index, card, Linux.SIOCDELRT, "remove");
        }
        return kept;
    }

    /// <summary>The netmask of a prefix of IPv4.</summary>
    public static byte[] Mask(int length)
    {
        var bits = length == 0 ? 0 : uint.MaxValue << (32 - length);
        return [(byte)(bits >> 24), (byte)(bits >> 16), (byte)(bits >> 8), (byte)bits];
    }

    private static bool Has(IReadOnlyList<GuestRoute> routes, GuestRoute route)
    {
        for (var i = 0; i < routes.Count; i++)
        {
            if (routes[i].PrefixLength == route.PrefixLength && routes[i].Destination.AsSpan().SequenceEqual(route.Destination) && routes[i].Gateway.AsSpan().SequenceEqual(route.Gateway))
                return true;
        }
        return false;
    }

    private static void Change(GuestRoute route, int index, string card, nuint request, string verb)
    {
        var isIpv6 = route.Destination.Length == 16;
        if (route.Destination.Length is not (4 or 16) || route.Gateway.Length != route.Destination.Length || route.PrefixLength < 0 || route.PrefixLength > route.Destination.Length * 8)
            throw new AgentFailure(AgentError.InvalidArgument, $"a route of {card} is malformed");
        var fd = Errno.Check(Libc.socket(isIpv6 ? Linux.AF_INET6 : Linux.AF_INET, Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC, 0), "socket");
        try
        {
            const int mostBytes = 120;
            var entry = stackalloc byte[mostBytes];
            new Span<byte>(entry, mostBytes).Clear();
            if (isIpv6)
                WriteIpv6(entry, route, index);
            else
                WriteIpv4(entry, route);
            Errno.Check(Libc.ioctl(fd, request, entry), $"{verb} a route of {card}");
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    // struct rtentry: destination at 8, gateway at 24, mask at 40 (struct sockaddr each, the address at 4), flags at 56.
    private static void WriteIpv4(byte* entry, GuestRoute route)
    {
        *(short*)(entry + 8) = *(short*)(entry + 24) = *(short*)(entry + 40) = Linux.AF_INET;
        route.Destination.CopyTo(new Span<byte>(entry + 12, 4));
        route.Gateway.CopyTo(new Span<byte>(entry + 28, 4));
        Mask(route.PrefixLength).CopyTo(new Span<byte>(entry + 44, 4));
        *(ushort*)(entry + 56) = Linux.RTF_UP | Linux.RTF_GATEWAY;
    }

    // struct in6_rtmsg: destination, source, gateway at 32, length of the prefix at 52, metric at 56, flags at 72, index at 76.
    private static void WriteIpv6(byte* entry, GuestRoute route, int index)
    {
        route.Destination.CopyTo(new Span<byte>(entry, 16));
        route.Gateway.CopyTo(new Span<byte>(entry + 32, 16));
        *(ushort*)(entry + 52) = (ushort)route.PrefixLength;
        *(uint*)(entry + 56) = 1;
        *(uint*)(entry + 72) = Linux.RTF_UP | Linux.RTF_GATEWAY;
        *(int*)(entry + 76) = index;
    }
}
