using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Candela.Network.Namespaces;

namespace Candela.Network.Netlink;

/// <summary>A link as the kernel has it.</summary>
/// <param name="Index">Its number in the namespace.</param>
/// <param name="Name">Its name, at most 15 characters.</param>
/// <param name="Kind">bridge, veth, vxlan, tun, …; null for physical links and loopback.</param>
/// <param name="Mac">Its address.</param>
/// <param name="Mtu">Largest packet, bytes.</param>
/// <param name="IsUp">It is administratively up.</param>
/// <param name="Master">Index of the bridge that it is a port of, or 0.</param>
/// <param name="Alias">Free text.</param>
internal sealed record LinkState(int Index, string Name, string? Kind, MacAddress Mac, int Mtu, bool IsUp, int Master, string? Alias);

/// <summary>An address of a link.</summary>
internal sealed record AddressState(int Index, IPAddress Address, int PrefixLength);

/// <summary>A route of the main table.</summary>
internal sealed record RouteState(IPNetwork Destination, int Index, IPAddress? Gateway, byte Protocol);

/// <summary>A neighbour, or (in the bridge family) a forwarding entry.</summary>
internal sealed record NeighbourState(int Index, IPAddress? Destination, MacAddress Mac, ushort State, byte Flags, int Master)
{
    /// <summary>Was declared, not learned.</summary>
    public bool IsStatic => (State & (0x40 | 0x80)) != 0;
}

/// <summary>The routing part of the kernel of one namespace (rtnetlink(7)).</summary>
internal sealed class RouteSocket(NetworkNamespace space) : IDisposable
{
    private const ushort RTM_GETLINK = 18, RTM_GETADDR = 22, RTM_GETROUTE = 26, RTM_GETNEIGH = 30;
    private readonly NetlinkSocket _socket = new(space, NetlinkSocket.Route);

    /// <summary>Executes changes.</summary>
    /// <exception cref="NetlinkException">The first that the kernel refused.</exception>
    public void Execute(RouteBatch batch) => _socket.Execute(batch.Batch);

    /// <summary>Executes changes.</summary>
    /// <exception cref="NetlinkException">The first that the kernel refused.</exception>
    public void Execute(Action<RouteBatch> fill)
    {
        var batch = new RouteBatch();
        fill(batch);
        Execute(batch);
    }

    /// <summary>The link of a name, or null.</summary>
    public LinkState? FindLink(string name)
    {
        var batch = new NetlinkBatch();
        batch.Begin(RTM_GETLINK, NetlinkBatch.Ack, $"get link {name}", Native.Libc.ENODEV);
        batch.Fixed(default(RouteBatch.LinkHeader));
        batch.Text(3, name);
        batch.End();
        LinkState? link = null;
        _socket.Query(batch, (_, body) => link = ReadLink(body));
        return link;
    }

    /// <summary>All links.</summary>
    public List<LinkState> Links()
    {
        List<LinkState> links = [];
        Dump(RTM_GETLINK, default(RouteBatch.LinkHeader), body => links.Add(ReadLink(body)));
        return links;
    }

    /// <summary>All addresses.</summary>
    public List<AddressState> Addresses()
    {
        List<AddressState> addresses = [];
        Dump(RTM_GETADDR, default(RouteBatch.AddressHeader), body =>
        {
            RouteBatch.AddressHeader header = MemoryMarshal.Read<RouteBatch.AddressHeader>(body);
            var attributes = new NetlinkAttributes(body[8..]);
            IPAddress? address = null;
            while (attributes.Next())
            {
                if (attributes.Type == 2 || (attributes.Type == 1 && address is null)) // IFA_LOCAL is the own one where both are given
                    address = new IPAddress(attributes.Value);
            }

            if (address is not null)
                addresses.Add(new AddressState(header.Index, address, header.PrefixLength));
        });
        return addresses;
    }

    /// <summary>Unicast routes of the main table.</summary>
    public List<RouteState> Routes()
    {
        const byte mainTable = 254, unicast = 1;
        List<RouteState> routes = [];
        foreach (AddressFamily family in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            Dump(RTM_GETROUTE, new RouteBatch.RouteHeader { Family = RouteBatch.AddressFamilyNumber(family) }, body =>
            {
                RouteBatch.RouteHeader header = MemoryMarshal.Read<RouteBatch.RouteHeader>(body);
                if (header.Table != mainTable || header.Type != unicast)
                    return;
                IPAddress destination = family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
                IPAddress? gateway = null;
                int index = 0;
                var attributes = new NetlinkAttributes(body[12..]);
                while (attributes.Next())
                {
                    switch (attributes.Type)
                    {
                        case 1: destination = new IPAddress(attributes.Value); break;
                        case 4: index = (int)attributes.U32; break;
                        case 5: gateway = new IPAddress(attributes.Value); break;
                    }
                }

                routes.Add(new RouteState(new IPNetwork(destination, header.DestinationLength), index, gateway, header.Protocol));
            });
        }

        return routes;
    }

    /// <summary>Neighbours of both IP versions.</summary>
    public List<NeighbourState> Neighbours()
    {
        List<NeighbourState> neighbours = [];
        Dump(RTM_GETNEIGH, default(RouteBatch.NeighbourHeader), body => neighbours.Add(ReadNeighbour(body)));
        return neighbours;
    }

    /// <summary>Entries of the forwarding tables of bridges and VXLAN links.</summary>
    public List<NeighbourState> Forwarding()
    {
        List<NeighbourState> entries = [];
        // Dumps of the bridge family know two shapes of header (rtnl_fdb_dump); this is the strict one.
        Dump(RTM_GETNEIGH, new RouteBatch.NeighbourHeader { Family = 7 }, body => entries.Add(ReadNeighbour(body)));
        return entries;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private delegate void BodyAction(ReadOnlySpan<byte> body);

    private void Dump<T>(ushort type, T header, BodyAction action)
        where T : unmanaged
    {
        var batch = new NetlinkBatch();
        batch.Begin(type, NetlinkBatch.Dump, "list links, addresses or routes");
        batch.Fixed(header);
        batch.End();
        _socket.Query(batch, (_, body) => action(body));
    }

    private static LinkState ReadLink(ReadOnlySpan<byte> body)
    {
        RouteBatch.LinkHeader header = MemoryMarshal.Read<RouteBatch.LinkHeader>(body);
        string name = "";
        string? kind = null, alias = null;
        MacAddress mac = default;
        int mtu = 0, master = 0;
        var attributes = new NetlinkAttributes(body[16..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case 1 when attributes.Value.Length == MacAddress.Length: mac = MacAddress.Read(attributes.Value); break;
                case 3: name = attributes.Text; break;
                case 4: mtu = (int)attributes.U32; break;
                case 10: master = (int)attributes.U32; break;
                case 20: alias = attributes.Text; break;
                case 18:
                    NetlinkAttributes information = attributes.Nested;
                    while (information.Next())
                        kind = information.Type == 1 ? information.Text : kind;
                    break;
            }
        }

        return new LinkState(header.Index, name, kind, mac, mtu, (header.Flags & 1) != 0, master, alias);
    }

    private static NeighbourState ReadNeighbour(ReadOnlySpan<byte> body)
    {
        RouteBatch.NeighbourHeader header = MemoryMarshal.Read<RouteBatch.NeighbourHeader>(body);
        IPAddress? destination = null;
        MacAddress mac = default;
        int master = 0;
        var attributes = new NetlinkAttributes(body[12..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case 1: destination = new IPAddress(attributes.Value); break;
                case 2 when attributes.Value.Length == MacAddress.Length: mac = MacAddress.Read(attributes.Value); break;
                case 9: master = (int)attributes.U32; break;
            }
        }

        return new NeighbourState(header.Index, destination, mac, header.State, header.Flags, master);
    }
}
