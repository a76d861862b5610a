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
        // Those that go first: an address or a route may move from one to another.
        for (var number = 0; number < CardDrawer.Count; number++)
        {
            if (s_cards[number] is not { } card)
                continue;
            if (Find(cards, number) is { } kept && HasSameAddresses(card, kept))
            {
                s_cards[number] = card with { Routes = Routes.Remove(card.Routes, kept.Routes, s_indexes[number], $"eth{number}") };
                continue;
            }
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
            Routes.Add(former.Routes, card.Routes, s_indexes[card.Number], $"eth{card.Number}");
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
        && one.Ipv6.AsSpan().SequenceEqual(other.Ipv6) && one.Ipv6PrefixLength == other.Ipv6PrefixLength;

    private static void SetUp(GuestInterface card)
    {
        var name = $"eth{card.Number}";
        if (card.Mac.Length != 6 || card.Mtu is < MtuLeast or > MtuMost || card.Ipv4.Length is not (0 or 4) || card.Ipv6.Length is not (0 or 16) ||
            card.Ipv4PrefixLength is < 0 or > 32 || card.Ipv6PrefixLength is < 0 or > 128)
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
                Address(request, name, Routes.Mask(card.Ipv4PrefixLength));
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
        Routes.Add([], card.Routes, s_indexes[card.Number], name);
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

    private static void Call(int fd, nuint request, byte* argument, string what) => Errno.Check(Libc.ioctl(fd, request, argument), what);
}
