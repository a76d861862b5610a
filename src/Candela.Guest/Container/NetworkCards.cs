using System.Text;
using Candela.Guest.Native;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Container;

/// <summary>The micro-VM's network cards (netdevice(7)). They are in its parent's <see cref="CardDrawer"/>; a clone takes those it needs.</summary>
internal static unsafe class NetworkCards
{
    private const int MtuLeast = 68, MtuMost = 65_535;

    // struct ifreq: the name, then a union.
    private const int RequestBytes = 40, ValueAt = 16;

    // struct sockaddr_in
    private const int AddressAt = 4;

    // By number: how the container has a card, and its index; null: it is in the drawer.
    private static readonly GuestInterface?[] s_cards = new GuestInterface?[CardDrawer.Most];
    private static readonly int[] s_indexes = new int[CardDrawer.Most];

    /// <summary>Sets cards up as stated and takes the others away; a card that is as stated already is left alone.</summary>
    /// <exception cref="AgentFailure">A value is malformed or was refused.</exception>
    public static void Apply(IReadOnlyList<GuestInterface> cards)
    {
        for (var i = 0; i < cards.Count; i++)
        {
            if (cards[i].Number < 0 || cards[i].Number >= CardDrawer.Count)
                throw new AgentFailure(AgentError.InvalidArgument, $"this micro-VM has {CardDrawer.Count} network cards: there is no eth{cards[i].Number}");
        }
        // Those that go first: an address or the default route may move from one to another.
        for (var number = 0; number < CardDrawer.Count; number++)
        {
            if (s_cards[number] is not { } card || (Find(cards, number) is { } kept && HasSameAddresses(card, kept)))
                continue;
            CardDrawer.PutBack(number, s_indexes[number]);
            s_cards[number] = null;
        }
        for (var i = 0; i < cards.Count; i++)
        {
            var card = cards[i];
            if (s_cards[card.Number] is not { } former)
            {
                s_indexes[card.Number] = CardDrawer.Take(card.Number);
                s_cards[card.Number] = card;
                SetUp(card);
                continue;
            }
            s_cards[card.Number] = card;
            SetGateways(card, former);
        }
    }

    private static GuestInterface? Find(IReadOnlyList<GuestInterface> cards, int number)
    {
        for (var i = 0; i < cards.Count; i++)
        {
            if (cards[i].Number == number)
                return cards[i];
        }
        return null;
    }

    private static bool HasSameAddresses(GuestInterface one, GuestInterface other) =>
        one.Mac.AsSpan().SequenceEqual(other.Mac) && one.Mtu == other.Mtu
        && one.Ipv4.AsSpan().SequenceEqual(other.Ipv4) && one.Ipv4PrefixLength == other.Ipv4PrefixLength
        && one.Ipv6.AsSpan().SequenceEqual(other.Ipv6) && one.Ipv6PrefixLength == other.Ipv6PrefixLength
        && (one.Ipv4Gateway.Length == 0 || one.Ipv4Gateway.AsSpan().SequenceEqual(other.Ipv4Gateway))
        && (one.Ipv6Gateway.Length == 0 || one.Ipv6Gateway.AsSpan().SequenceEqual(other.Ipv6Gateway));

    private static void SetUp(GuestInterface card)
    {
        var name = $"eth{card.Number}";
        if (card.Mac.Length != 6 || card.Mtu is < MtuLeast or > MtuMost || card.Ipv4.Length is not (0 or 4) || card.Ipv6.Length is not (0 or 16) ||
            card.Ipv4PrefixLength is < 0 or > 32 || card.Ipv6PrefixLength is < 0 or > 128 || card.Ipv4Gateway.Length is not (0 or 4) || card.Ipv6Gateway.Length is not (0 or 16))
            throw new AgentFailure(AgentError.InvalidArgument, $"the addresses of {name} are malformed");
        var fd = Errno.Check(Libc.socket(Linux.AF_INET, Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC, 0), "socket");
        try
        {
            var request = stackalloc byte[RequestBytes];
            Begin(request, name);
            *(short*)(request + ValueAt) = Linux.ARPHRD_ETHER;
            card.Mac.CopyTo(new Span<byte>(request + ValueAt + 2, 6));
            Call(fd, Linux.SIOCSIFHWADDR, request, $"set the MAC of {name}");
            Begin(request, name);
            *(int*)(request + ValueAt) = card.Mtu;
            Call(fd, Linux.SIOCSIFMTU, request, $"set the MTU of {name}");
            SmallFile.Write($"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", card.Ipv6.Length == 0 ? "1" : "0");
            SmallFile.Write($"/proc/sys/net/ipv6/conf/{name}/accept_ra", "0");
            // The address is this card's alone by the host's word: nothing to find out.
            SmallFile.Write($"/proc/sys/net/ipv6/conf/{name}/accept_dad", "0");
            if (card.Ipv4.Length != 0)
            {
                Address(request, name, card.Ipv4);
                Call(fd, Linux.SIOCSIFADDR, request, $"set the address of {name}");
                Address(request, name, Mask(card.Ipv4PrefixLength));
                Call(fd, Linux.SIOCSIFNETMASK, request, $"set the netmask of {name}");
            }
            SwitchOn(fd, request, name);
        }
        finally
        {
            _ = Libc.close(fd);
        }
        if (card.Ipv6.Length != 0)
            SetIpv6Address(card, name);
        SetGateways(card, former: null);
    }

    // The default routes that the card did not have before.
    private static void SetGateways(GuestInterface card, GuestInterface? former)
    {
        if (card.Ipv4Gateway.Length != 0 && former is not { Ipv4Gateway.Length: > 0 })
            AddRoute(card);
        if (card.Ipv6Gateway.Length != 0 && former is not { Ipv6Gateway.Length: > 0 })
            AddIpv6Route(card);
    }

    private static void SetIpv6Address(GuestInterface card, string name)
    {
        var fd = Errno.Check(Libc.socket(Linux.AF_INET6, Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC, 0), "socket");
        try
        {
            // struct in6_ifreq: address, length of the prefix, index
            var address = stackalloc byte[24];
            card.Ipv6.CopyTo(new Span<byte>(address, 16));
            *(uint*)(address + 16) = (uint)card.Ipv6PrefixLength;
            *(int*)(address + 20) = s_indexes[card.Number];
            Call(fd, Linux.SIOCSIFADDR, address, $"set the IPv6 address of {name}");
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    private static void AddIpv6Route(GuestInterface card)
    {
        var fd = Errno.Check(Libc.socket(Linux.AF_INET6, Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC, 0), "socket");
        try
        {
            // struct in6_rtmsg: destination, source, gateway at 32, metric at 56, flags at 72, index at 76
            var route = stackalloc byte[80];
            new Span<byte>(route, 80).Clear();
            card.Ipv6Gateway.CopyTo(new Span<byte>(route + 32, 16));
            *(uint*)(route + 56) = 1;
            *(uint*)(route + 72) = Linux.RTF_UP | Linux.RTF_GATEWAY;
            *(int*)(route + 76) = s_indexes[card.Number];
            Call(fd, Linux.SIOCADDRT, route, "add the IPv6 default route");
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    private static void AddRoute(GuestInterface card)
    {
        var fd = Errno.Check(Libc.socket(Linux.AF_INET, Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC, 0), "socket");
        try
        {
            // struct rtentry: destination at 8, gateway at 24, mask at 40 (struct sockaddr each), flags at 56
            var route = stackalloc byte[120];
            new Span<byte>(route, 120).Clear();
            *(short*)(route + 8) = *(short*)(route + 24) = *(short*)(route + 40) = Linux.AF_INET;
            card.Ipv4Gateway.CopyTo(new Span<byte>(route + 24 + AddressAt, 4));
            *(ushort*)(route + 56) = Linux.RTF_UP | Linux.RTF_GATEWAY;
            Call(fd, Linux.SIOCADDRT, route, "add the default route");
        }
        finally
        {
            _ = Libc.close(fd);
        }
    }

    private static void SwitchOn(int fd, byte* request, string name)
    {
        Begin(request, name);
        Call(fd, Linux.SIOCGIFFLAGS, request, $"find {name}");
        *(short*)(request + ValueAt) |= Linux.IFF_UP;
        Call(fd, Linux.SIOCSIFFLAGS, request, $"switch {name} on");
    }

    private static void Begin(byte* request, string name)
    {
        new Span<byte>(request, RequestBytes).Clear();
        Encoding.UTF8.GetBytes(name, new Span<byte>(request, ValueAt));
    }

    private static void Address(byte* request, string name, ReadOnlySpan<byte> address)
    {
        Begin(request, name);
        *(short*)(request + ValueAt) = Linux.AF_INET;
        address.CopyTo(new Span<byte>(request + ValueAt + AddressAt, 4));
    }

    private static byte[] Mask(int length)
    {
        var bits = length == 0 ? 0 : uint.MaxValue << (32 - length);
        return [(byte)(bits >> 24), (byte)(bits >> 16), (byte)(bits >> 8), (byte)bits];
    }

    private static void Call(int fd, nuint request, byte* argument, string what) => Errno.Check(Libc.ioctl(fd, request, argument), what);
}
