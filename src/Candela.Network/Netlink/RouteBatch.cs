using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Candela.Network.Namespaces;
using static Candela.Network.Native.Libc;

namespace Candela.Network.Netlink;

/// <summary>
/// Changes of links, addresses, routes and neighbours (rtnetlink(7)), to be executed together. Names of constants are those of
/// linux/if_link.h, linux/rtnetlink.h and linux/neighbour.h.
/// </summary>
internal sealed class RouteBatch
{
    private const ushort RTM_NEWLINK = 16, RTM_DELLINK = 17, RTM_SETLINK = 19, RTM_NEWADDR = 20, RTM_DELADDR = 21, RTM_NEWROUTE = 24,
        RTM_DELROUTE = 25, RTM_NEWNEIGH = 28, RTM_DELNEIGH = 29, RTM_NEWLINKPROP = 108;
    private const ushort IFLA_ADDRESS = 1, IFLA_IFNAME = 3, IFLA_MTU = 4, IFLA_MASTER = 10, IFLA_LINKINFO = 18, IFLA_IFALIAS = 20,
        IFLA_AF_SPEC = 26, IFLA_NET_NS_FD = 28, IFLA_PROP_LIST = 52, IFLA_ALT_IFNAME = 53;
    private const ushort IFLA_INFO_KIND = 1, IFLA_INFO_DATA = 2, IFLA_INFO_SLAVE_KIND = 4, IFLA_INFO_SLAVE_DATA = 5;
    private const ushort VETH_INFO_PEER = 1;
    private const ushort IFLA_BR_FORWARD_DELAY = 1, IFLA_BR_STP_STATE = 5, IFLA_BR_MCAST_SNOOPING = 23, IFLA_BR_NF_CALL_IPTABLES = 36,
        IFLA_BR_NF_CALL_IP6TABLES = 37;
    private const ushort IFLA_BRPORT_LEARNING = 8, IFLA_BRPORT_UNICAST_FLOOD = 9, IFLA_BRPORT_NEIGH_SUPPRESS = 32;
    private const ushort IFLA_VXLAN_ID = 1, IFLA_VXLAN_LOCAL = 4, IFLA_VXLAN_LEARNING = 7, IFLA_VXLAN_PORT = 15, IFLA_VXLAN_LOCAL6 = 17;
    private const ushort IFLA_INET6_ADDR_GEN_MODE = 8;
    private const byte IN6_ADDR_GEN_MODE_EUI64 = 0, IN6_ADDR_GEN_MODE_NONE = 1;
    private const ushort IFA_ADDRESS = 1, IFA_LOCAL = 2, IFA_FLAGS = 8;
    private const uint IFA_F_NODAD = 2;
    private const ushort RTA_DST = 1, RTA_OIF = 4, RTA_GATEWAY = 5;
    private const ushort NDA_DST = 1, NDA_LLADDR = 2;
    private const byte NTF_SELF = 2, NTF_MASTER = 4;
    private const ushort NUD_NOARP = 0x40, NUD_PERMANENT = 0x80;
    private const uint IFF_UP = 1;
    private const byte RT_TABLE_MAIN = 254, RTPROT_STATIC = 4, RT_SCOPE_UNIVERSE = 0, RT_SCOPE_LINK = 253, RTN_UNICAST = 1;
    private const uint RTNH_F_ONLINK = 4;

    internal NetlinkBatch Batch { get; } = new();

    [StructLayout(LayoutKind.Sequential)]
    internal struct LinkHeader // struct ifinfomsg
    {
        public byte Family, Padding;
        public ushort Type;
        public int Index;
        public uint Flags, Change;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct AddressHeader // struct ifaddrmsg
    {
        public byte Family, PrefixLength, Flags, Scope;
        public int Index;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct RouteHeader // struct rtmsg
    {
        public byte Family, DestinationLength, SourceLength, Tos, Table, Protocol, Scope, Type;
        public uint Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NeighbourHeader // struct ndmsg
    {
        public byte Family, Padding1;
        public ushort Padding2;
        public int Index;
        public ushort State;
        public byte Flags, Type;
    }

    /// <summary>A bridge whose packets pass the firewall, without spanning tree and multicast snooping.</summary>
    public void AddBridge(string name, MacAddress mac, int mtu)
    {
        BeginLink(name, $"add bridge {name}");
        Mac(mac);
        Batch.U32(IFLA_MTU, (uint)mtu);
        int information = BeginKind("bridge");
        int options = Batch.BeginNest(IFLA_INFO_DATA);
        Batch.U32(IFLA_BR_FORWARD_DELAY, 0);
        Batch.U32(IFLA_BR_STP_STATE, 0);
        Batch.U8(IFLA_BR_MCAST_SNOOPING, 0);
        Batch.U8(IFLA_BR_NF_CALL_IPTABLES, 1);
        Batch.U8(IFLA_BR_NF_CALL_IP6TABLES, 1);
        Batch.EndNest(options);
        EndLink(information);
    }

    /// <summary>A pair of links, the peer in another namespace if one is given.</summary>
    public void AddVeth(string name, string peer, NetworkNamespace? peerSpace = null, MacAddress? mac = null, MacAddress? peerMac = null, int mtu = 1500)
    {
        BeginLink(name, $"add veth {name}");
        if (mac is { } own)
            Mac(own);
        Batch.U32(IFLA_MTU, (uint)mtu);
        int information = BeginKind("veth");
        int options = Batch.BeginNest(IFLA_INFO_DATA);
        int other = Batch.BeginNest(VETH_INFO_PEER);
        Batch.Fixed(default(LinkHeader));
        Batch.Text(IFLA_IFNAME, peer);
        Batch.U32(IFLA_MTU, (uint)mtu);
        if (peerMac is { } others)
            Mac(others);
        if (peerSpace is not null)
            Batch.U32(IFLA_NET_NS_FD, (uint)peerSpace.Handle.Number());
        Batch.EndNest(other);
        Batch.EndNest(options);
        EndLink(information);
    }

    /// <summary>A VXLAN link (RFC 7348) that learns nothing. It appears in <paramref name="target"/>; its UDP socket stays in this namespace.</summary>
    public void AddVxlan(string name, uint vni, IPAddress local, ushort port, int mtu, NetworkNamespace target)
    {
        BeginLink(name, $"add VXLAN link {name} (VNI {vni})");
        Batch.U32(IFLA_MTU, (uint)mtu);
        Batch.U32(IFLA_NET_NS_FD, (uint)target.Handle.Number());
        int information = BeginKind("vxlan");
        int options = Batch.BeginNest(IFLA_INFO_DATA);
        Batch.U32(IFLA_VXLAN_ID, vni);
        Batch.Address(local.AddressFamily == AddressFamily.InterNetwork ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, local);
        Batch.U8(IFLA_VXLAN_LEARNING, 0);
        Batch.U16BigEndian(IFLA_VXLAN_PORT, port);
        Batch.EndNest(options);
        EndLink(information);
    }

    /// <summary>Deletes a link; none of that index is fine.</summary>
    public void DeleteLink(int index, string name)
    {
        Batch.Begin(RTM_DELLINK, NetlinkBatch.Ack, $"delete link {name}", ENODEV);
        Batch.Fixed(new LinkHeader { Index = index });
        Batch.End();
    }

    /// <summary>Changes what is given of a link.</summary>
    public void SetLink(int index, string what, bool? up = null, int? master = null, MacAddress? mac = null, int? mtu = null, string? name = null,
        string? alias = null, NetworkNamespace? space = null)
    {
        Batch.Begin(RTM_SETLINK, NetlinkBatch.Ack, what);
        Batch.Fixed(new LinkHeader { Index = index, Flags = up == true ? IFF_UP : 0, Change = up is null ? 0 : IFF_UP });
        if (name is not null)
            Batch.Text(IFLA_IFNAME, name);
        if (mac is { } address)
            Mac(address);
        if (mtu is { } size)
            Batch.U32(IFLA_MTU, (uint)size);
        if (alias is not null)
            Batch.Text(IFLA_IFALIAS, alias);
        if (master is { } bridge)
            Batch.U32(IFLA_MASTER, (uint)bridge);
        if (space is not null)
            Batch.U32(IFLA_NET_NS_FD, (uint)space.Handle.Number());
        Batch.End();
    }

    /// <summary>Gives a link no IPv6 address of its own making (or, by default, the one derived from its MAC).</summary>
    public void SetAutomaticIPv6(int index, string name, bool enabled)
    {
        Batch.Begin(RTM_SETLINK, NetlinkBatch.Ack, $"set IPv6 address generation of {name}");
        Batch.Fixed(new LinkHeader { Index = index });
        int families = Batch.BeginNest(IFLA_AF_SPEC);
        int family = Batch.BeginNest((ushort)AddressFamilyNumber(AddressFamily.InterNetworkV6));
        Batch.U8(IFLA_INET6_ADDR_GEN_MODE, enabled ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE);
        Batch.EndNest(family);
        Batch.EndNest(families);
        Batch.End();
    }

    /// <summary>Adds a second, longer name (up to 127 characters).</summary>
    public void AddAlternativeName(int index, string name)
    {
        Batch.Begin(RTM_NEWLINKPROP, NetlinkBatch.Ack | NetlinkBatch.Excl | NetlinkBatch.Create | NetlinkBatch.Append, $"add alternative name {name}", EEXIST);
        Batch.Fixed(new LinkHeader { Index = index });
        int list = Batch.BeginNest(IFLA_PROP_LIST);
        Batch.Text(IFLA_ALT_IFNAME, name);
        Batch.EndNest(list);
        Batch.End();
    }

    /// <summary>Makes a bridge port forward only to what was declared: no learning, no flooding of unknown unicast.</summary>
    public void SetBridgePort(int index, string name, bool suppressNeighbours)
    {
        Batch.Begin(RTM_NEWLINK, NetlinkBatch.Ack, $"set up bridge port {name}");
        Batch.Fixed(new LinkHeader { Index = index });
        int information = Batch.BeginNest(IFLA_LINKINFO);
        Batch.Text(IFLA_INFO_SLAVE_KIND, "bridge");
        int options = Batch.BeginNest(IFLA_INFO_SLAVE_DATA);
        Batch.U8(IFLA_BRPORT_LEARNING, 0);
        Batch.U8(IFLA_BRPORT_UNICAST_FLOOD, 0);
        Batch.U8(IFLA_BRPORT_NEIGH_SUPPRESS, suppressNeighbours ? (byte)1 : (byte)0);
        Batch.EndNest(options);
        Batch.EndNest(information);
        Batch.End();
    }

    /// <summary>Adds an address without duplicate address detection; an existing one is fine.</summary>
    public void AddAddress(int index, IPAddress address, int prefixLength)
    {
        Batch.Begin(RTM_NEWADDR, NetlinkBatch.Ack | NetlinkBatch.Create | NetlinkBatch.Excl, $"add address {address}/{prefixLength}", EEXIST);
        AddressBody(index, address, prefixLength);
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            Batch.U32(IFA_FLAGS, IFA_F_NODAD);
        Batch.End();
    }

    /// <summary>Deletes an address; none is fine.</summary>
    public void DeleteAddress(int index, IPAddress address, int prefixLength)
    {
        Batch.Begin(RTM_DELADDR, NetlinkBatch.Ack, $"delete address {address}/{prefixLength}", EADDRNOTAVAIL);
        AddressBody(index, address, prefixLength);
        Batch.End();
    }

    /// <summary>Adds or replaces a route of the main table.</summary>
    public void SetRoute(IPNetwork destination, int index, IPAddress? gateway)
    {
        Batch.Begin(RTM_NEWROUTE, NetlinkBatch.Ack | NetlinkBatch.Create | NetlinkBatch.Replace, $"add route to {destination}");
        RouteBody(destination, index, gateway);
        Batch.End();
    }

    /// <summary>Deletes a route of the main table; none is fine.</summary>
    public void DeleteRoute(IPNetwork destination, int index, IPAddress? gateway)
    {
        Batch.Begin(RTM_DELROUTE, NetlinkBatch.Ack, $"delete route to {destination}", ESRCH);
        RouteBody(destination, index, gateway);
        Batch.End();
    }

    /// <summary>Adds or replaces a permanent neighbour: no ARP or ND is needed, none is believed.</summary>
    public void SetNeighbour(int index, IPAddress address, MacAddress mac)
    {
        Batch.Begin(RTM_NEWNEIGH, NetlinkBatch.Ack | NetlinkBatch.Create | NetlinkBatch.Replace, $"add neighbour {address}");
        Batch.Fixed(new NeighbourHeader { Family = AddressFamilyNumber(address.AddressFamily), Index = index, State = NUD_PERMANENT });
        Batch.Address(NDA_DST, address);
        NeighbourMac(mac);
        Batch.End();
    }

    /// <summary>Deletes a neighbour; none is fine.</summary>
    public void DeleteNeighbour(int index, IPAddress address)
    {
        Batch.Begin(RTM_DELNEIGH, NetlinkBatch.Ack, $"delete neighbour {address}", ENOENT, ENODEV);
        Batch.Fixed(new NeighbourHeader { Family = AddressFamilyNumber(address.AddressFamily), Index = index });
        Batch.Address(NDA_DST, address);
        Batch.End();
    }

    /// <summary>Adds or replaces a static entry of a bridge's forwarding table: the MAC is behind this port.</summary>
    public void SetForwarding(int portIndex, MacAddress mac)
    {
        Batch.Begin(RTM_NEWNEIGH, NetlinkBatch.Ack | NetlinkBatch.Create | NetlinkBatch.Replace, $"add forwarding entry {mac}");
        ForwardingBody(portIndex, NTF_MASTER, mac, NUD_NOARP);
        Batch.End();
    }

    /// <summary>Deletes an entry of a bridge's forwarding table; none is fine.</summary>
    public void DeleteForwarding(int portIndex, MacAddress mac)
    {
        Batch.Begin(RTM_DELNEIGH, NetlinkBatch.Ack, $"delete forwarding entry {mac}", ENOENT, ENODEV); // the link may end by itself, with its VMM
        ForwardingBody(portIndex, NTF_MASTER, mac, NUD_NOARP);
        Batch.End();
    }

    /// <summary>Adds a VTEP for a MAC to a VXLAN link. The MAC of all zeros stands for broadcast and multicast and may have several.</summary>
    public void AddTunnelForwarding(int index, MacAddress mac, IPAddress machine)
    {
        ushort mode = mac.Value == 0 ? NetlinkBatch.Append : NetlinkBatch.Replace;
        Batch.Begin(RTM_NEWNEIGH, (ushort)(NetlinkBatch.Ack | NetlinkBatch.Create | mode), $"add VXLAN forwarding {mac} to {machine}", EEXIST);
        ForwardingBody(index, NTF_SELF, mac, NUD_NOARP | NUD_PERMANENT);
        Batch.Address(NDA_DST, machine);
        Batch.End();
    }

    /// <summary>Deletes a VTEP of a MAC; none is fine.</summary>
    public void DeleteTunnelForwarding(int index, MacAddress mac, IPAddress machine)
    {
        Batch.Begin(RTM_DELNEIGH, NetlinkBatch.Ack, $"delete VXLAN forwarding {mac} to {machine}", ENOENT);
        ForwardingBody(index, NTF_SELF, mac, NUD_NOARP | NUD_PERMANENT);
        Batch.Address(NDA_DST, machine);
        Batch.End();
    }

    internal static byte AddressFamilyNumber(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? (byte)10 : (byte)2; // Linux's numbers

    private void BeginLink(string name, string what)
    {
        Batch.Begin(RTM_NEWLINK, NetlinkBatch.Ack | NetlinkBatch.Create | NetlinkBatch.Excl, what);
        Batch.Fixed(default(LinkHeader));
        Batch.Text(IFLA_IFNAME, name);
    }

    private int BeginKind(string kind)
    {
        int information = Batch.BeginNest(IFLA_LINKINFO);
        Batch.Text(IFLA_INFO_KIND, kind);
        return information;
    }

    private void EndLink(int information)
    {
        Batch.EndNest(information);
        Batch.End();
    }

    private void Mac(MacAddress mac)
    {
        Span<byte> octets = stackalloc byte[MacAddress.Length];
        mac.Write(octets);
        Batch.Raw(IFLA_ADDRESS, octets);
    }

    private void NeighbourMac(MacAddress mac)
    {
        Span<byte> octets = stackalloc byte[MacAddress.Length];
        mac.Write(octets);
        Batch.Raw(NDA_LLADDR, octets);
    }

    private void ForwardingBody(int index, byte flags, MacAddress mac, ushort state)
    {
        const byte bridgeFamily = 7; // AF_BRIDGE
        Batch.Fixed(new NeighbourHeader { Family = bridgeFamily, Index = index, Flags = flags, State = state });
        NeighbourMac(mac);
    }

    private void AddressBody(int index, IPAddress address, int prefixLength)
    {
        Batch.Fixed(new AddressHeader { Family = AddressFamilyNumber(address.AddressFamily), PrefixLength = (byte)prefixLength, Index = index });
        Batch.Address(IFA_LOCAL, address);
        Batch.Address(IFA_ADDRESS, address);
    }

    private void RouteBody(IPNetwork destination, int index, IPAddress? gateway)
    {
        Batch.Fixed(new RouteHeader
        {
            Family = AddressFamilyNumber(destination.BaseAddress.AddressFamily),
            DestinationLength = (byte)destination.PrefixLength,
            Table = RT_TABLE_MAIN,
            Protocol = RTPROT_STATIC,
            Scope = gateway is null ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
            Type = RTN_UNICAST,
            Flags = gateway is null ? 0 : RTNH_F_ONLINK,
        });
        Batch.Address(RTA_DST, destination.BaseAddress);
        Batch.U32(RTA_OIF, (uint)index);
        if (gateway is not null)
            Batch.Address(RTA_GATEWAY, gateway);
    }
}
