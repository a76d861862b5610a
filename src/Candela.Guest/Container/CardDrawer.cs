using System.Text;
using Candela.Guest.Native;
using Candela.Guest.Protocol;

namespace Candela.Guest.Container;

/// <summary>
/// A network namespace (network_namespaces(7)) that nobody is in: network cards that are connected to nothing are there, out of the
/// container's sight.
/// </summary>
internal static unsafe class CardDrawer
{
    /// <summary>Most cards of a micro-VM.</summary>
    public const int Most = 8;

    // struct ifreq: the name, then a union; in struct sockaddr the MAC's last byte is at 7.
    private const int RequestBytes = 40, ValueAt = 16, MacEndAt = ValueAt + 7;

    // struct nlmsghdr, struct ifinfomsg, struct nlattr (rtnetlink(7))
    private const int HeaderBytes = 16, LinkBytes = 16, AttributeHeaderBytes = 4, NameBytes = 16, MessageMost = 128;

    private static int s_home = -1, s_drawer = -1, s_homeLinks = -1, s_drawerLinks = -1;

    /// <summary>How many cards there are; known by <see cref="Fill"/>.</summary>
    public static int Count { get; private set; }

    /// <summary>Puts all cards away. A card's number is the last byte of the MAC that it came with.</summary>
    /// <exception cref="AgentFailure">A call failed.</exception>
    public static void Fill()
    {
        var fd = Errno.Check(Libc.socket(Linux.AF_INET, Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC, 0), "socket");
        var request = stackalloc byte[RequestBytes];
        for (var place = 0; place < Most; place++)
        {
            Name(request, place);
            if (Libc.ioctl(fd, Linux.SIOCGIFINDEX, request) < 0)
                break;
            if (Count++ == 0)
                Open();
            var index = *(int*)(request + ValueAt);
            Name(request, place);
            Errno.Check(Libc.ioctl(fd, Linux.SIOCGIFHWADDR, request), "SIOCGIFHWADDR");
            Move(s_homeLinks, index, s_drawer, request[MacEndAt]);
        }
        _ = Libc.close(fd);
    }

    /// <summary>Gives the container a card, switched off, as <c>eth</c> and its number.</summary>
    /// <returns>Its index.</returns>
    /// <exception cref="AgentFailure">It is not in the drawer, or the container has a link of that name.</exception>
    public static int Take(int number)
    {
        Move(s_drawerLinks, 0, s_home, number);
        var fd = Errno.Check(Libc.socket(Linux.AF_INET, Linux.SOCK_DGRAM | Linux.SOCK_CLOEXEC, 0), "socket");
        var request = stackalloc byte[RequestBytes];
        Name(request, number);
        var result = Libc.ioctl(fd, Linux.SIOCGIFINDEX, request);
        _ = Libc.close(fd);
        Errno.Check(result, $"find eth{number}");
        return *(int*)(request + ValueAt);
    }

    /// <summary>Takes a card away from the container, with its addresses and routes, whatever it is called by now.</summary>
    /// <exception cref="AgentFailure">The container has moved it elsewhere.</exception>
    public static void PutBack(int number, int index) => Move(s_homeLinks, index, s_drawer, number);

    // A socket acts in the namespace that it was made in.
    private static void Open()
    {
        const string Own = "/proc/thread-self/ns/net";
        s_home = Errno.Check(Libc.open(Own, Linux.O_RDONLY | Linux.O_CLOEXEC, 0), $"open {Own}");
        s_homeLinks = OpenLinks();
        if (Raw.Call(Linux.SYS_unshare, Linux.CLONE_NEWNET) is < 0 and var error)
            throw Errno.Failure("unshare the network", (int)-error);
        s_drawer = Errno.Check(Libc.open(Own, Linux.O_RDONLY | Linux.O_CLOEXEC, 0), $"open {Own}");
        s_drawerLinks = OpenLinks();
        Errno.Check(Libc.setns(s_home, Linux.CLONE_NEWNET), "setns");
    }

    private static int OpenLinks() => Errno.Check(Libc.socket(Linux.AF_NETLINK, Linux.SOCK_RAW | Linux.SOCK_CLOEXEC, Linux.NETLINK_ROUTE), "socket of rtnetlink");

    // RTM_SETLINK of a link, found by index or else by name; afterwards it has that name.
    private static void Move(int links, int index, int target, int number)
    {
        var message = stackalloc byte[MessageMost];
        new Span<byte>(message, MessageMost).Clear();
        var length = HeaderBytes + LinkBytes;
        *(int*)(message + HeaderBytes + 4) = index;
        var name = stackalloc byte[RequestBytes];
        Name(name, number);
        Attribute(message, ref length, Linux.IFLA_IFNAME, name, NameBytes);
        Attribute(message, ref length, Linux.IFLA_NET_NS_FD, (byte*)&target, sizeof(int));
        *(int*)message = length;
        *(ushort*)(message + 4) = Linux.RTM_SETLINK;
        *(ushort*)(message + 6) = Linux.NLM_F_REQUEST | Linux.NLM_F_ACK;
        if (Libc.write(links, message, (nuint)length) != length)
            throw Errno.Failure($"move eth{number}", Errno.Last);

        // struct nlmsgerr: the negative error number first.
        var answer = stackalloc byte[MessageMost * 2];
        if (Libc.read(links, answer, MessageMost * 2) < HeaderBytes + sizeof(int) || *(ushort*)(answer + 4) != Linux.NLMSG_ERROR)
            throw new AgentFailure(AgentError.Failed, $"move eth{number}: the kernel gave no answer");
        if (*(int*)(answer + HeaderBytes) is < 0 and var error)
            throw Errno.Failure($"move eth{number}", -error);
    }

    private static void Attribute(byte* message, ref int length, ushort type, byte* value, int bytes)
    {
        *(ushort*)(message + length) = (ushort)(AttributeHeaderBytes + bytes);
        *(ushort*)(message + length + 2) = type;
        Buffer.MemoryCopy(value, message + length + AttributeHeaderBytes, bytes, bytes);
        length += AttributeHeaderBytes + bytes;
    }

    private static void Name(byte* request, int number)
    {
        new Span<byte>(request, RequestBytes).Clear();
        Encoding.UTF8.GetBytes($"eth{number}", new Span<byte>(request, ValueAt));
    }
}
