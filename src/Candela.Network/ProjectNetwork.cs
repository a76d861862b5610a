using System.Net;
using Candela.Model;
using Candela.Network.Dns;
using Candela.Network.Firewall;
using Candela.Network.Flows;
using Candela.Network.Host;
using Candela.Network.Namespaces;
using Candela.Network.Native;
using Candela.Network.Netlink;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using Microsoft.Win32.SafeHandles;

namespace Candela.Network;

/// <summary>
/// The network of one project on this machine: a namespace of its own with a bridge for each segment, and the firewall between their
/// ports. It is in the kernel what the plan says; what else is in the namespace is deleted.
/// </summary>
/// <remarks>Calls take turns; each is over in milliseconds.</remarks>
public sealed class ProjectNetwork : IDisposable
{
    private readonly Lock _gate = new();
    private readonly RouteSocket _route;
    private readonly NftSocket _nft;
    private readonly ProjectFirewall _firewall;
    private readonly Topology _topology;
    private readonly ConnectionTable _connections;
    private readonly ResolvedNames _names;
    private ProjectPlan? _plan;

    private ProjectNetwork(NetworkNamespace space, FlowLogOptions log, TimeProvider clock, Tunnels? tunnels)
    {
        _names = new ResolvedNames(clock);
        Namespace = space;
        _route = new RouteSocket(space);
        _nft = new NftSocket(space);
        _firewall = new ProjectFirewall(_nft, log);
        _topology = new Topology(_route, space, tunnels);
        _connections = new ConnectionTable(space);
    }

    /// <summary>Where the links and rules are.</summary>
    public NetworkNamespace Namespace { get; }

    /// <summary>The plan that holds; null before the first.</summary>
    public ProjectPlan? Plan => Volatile.Read(ref _plan);

    /// <summary>Opens the namespace mounted at a path, or makes one.</summary>
    /// <exception cref="IOException">The kernel refuses; the message says what is missing.</exception>
    internal static ProjectNetwork Open(string path, FlowLogOptions log, TimeProvider clock, Tunnels? tunnels)
    {
        NetworkNamespace? space = NetworkNamespace.TryOpenAt(path);
        if (space is null)
        {
            // Left by a reboot, or by a start that was cut off.
            NetworkNamespace.DeleteAt(path);
            space = NetworkNamespace.CreateAt(path);
        }

        try
        {
            SetParameters(space);
            return new ProjectNetwork(space, log, clock, tunnels);
        }
        catch
        {
            space.Dispose();
            throw;
        }
    }

    /// <summary>Makes the kernel agree with a plan: the first time from whatever there is, then with as few changes as do.</summary>
    /// <exception cref="CandelaException">The plan contradicts itself.</exception>
    /// <exception cref="IOException">The kernel refuses. Links may be half done; calling again carries on.</exception>
    public void Apply(ProjectPlan plan)
    {
        PlanCheck.Check(plan);
        lock (_gate)
        {
            // What is to be closed, closes first, and nothing opens before its rules are there.
            bool narrows = _plan is null || Narrows(_plan, plan);
            _firewall.Apply(Effective(plan));
            if (narrows)
                _connections.End(flow => !_firewall.Passes(flow));
            _topology.Apply(plan);
            _plan = plan;
        }
    }

    /// <summary>Notes what a name stands for; policies that speak of it hold for the addresses when this returns.</summary>
    internal void Learn(string name, IReadOnlyList<IPAddress> addresses, uint ttlSeconds)
    {
        lock (_gate)
        {
            if (_plan is { } plan && _names.Learn(plan, name, addresses, ttlSeconds))
                _firewall.Apply(Effective(plan));
        }
    }

    /// <summary>Forgets what names no longer stand for.</summary>
    internal void ExpireNames()
    {
        lock (_gate)
        {
            if (_plan is not { } plan || !_names.Expire())
                return;
            _firewall.Apply(Effective(plan));
            _connections.End(flow => !_firewall.Passes(flow));
        }
    }

    /// <summary>Makes the tap of a port and connects it.</summary>
    /// <returns>The descriptor for the VMM; the tap ends with its last copy.</returns>
    /// <exception cref="CandelaException">The plan has no such port on this machine.</exception>
    public SafeFileHandle CreateTap(string portId)
    {
        lock (_gate)
        {
            PortSpec port = LocalPort(portId);
            SafeFileHandle tap = TapDevice.Create(Namespace, LinkNames.Port(portId));
            try
            {
                _topology.Attach(port, _plan!.Segments[port.SegmentId]);
                return tap;
            }
            catch
            {
                tap.Dispose();
                throw;
            }
        }
    }

    /// <summary>Brings a link from another namespace (a tap that was made ahead, or one end of a veth) and connects it as a port.</summary>
    /// <exception cref="CandelaException">The plan has no such port on this machine, or there is no such link.</exception>
    public void AdoptLink(string portId, NetworkNamespace from, string link)
    {
        lock (_gate)
        {
            PortSpec port = LocalPort(portId);
            using var source = new RouteSocket(from);
            LinkState state = source.FindLink(link) ?? throw new CandelaException(ErrorCode.NotFound, $"there is no link {link} to connect to port {portId}");
            source.Execute(b => b.SetLink(state.Index, $"move link {link}", name: LinkNames.Port(portId), space: from == Namespace ? null : Namespace));
            _topology.Attach(port, _plan!.Segments[port.SegmentId]);
        }
    }

    /// <summary>A port's link is there.</summary>
    internal bool HasLink(string portId)
    {
        lock (_gate)
            return _route.FindLink(LinkNames.Port(portId)) is not null;
    }

    /// <summary>Takes a port's link, under another name, to another namespace; the port itself stays.</summary>
    /// <returns>False when there is no such link.</returns>
    internal bool ReleaseLink(string portId, NetworkNamespace target, string name)
    {
        lock (_gate)
        {
            if (_route.FindLink(LinkNames.Port(portId)) is not { } link)
                return false;
            try
            {
                _route.Execute(b => b.SetLink(link.Index, $"disconnect link {link.Name}", up: false, master: 0));
                _route.Execute(b => b.SetLink(link.Index, $"move link {link.Name}", name: name, space: target));
                return true;
            }
            catch (NetlinkException e) when (e.Errno == Libc.ENODEV)
            {
                return false; // its VMM has just ended
            }
        }
    }

    /// <summary>The end of the way out is in the namespace.</summary>
    internal bool HasUplink => _route.FindLink(LinkNames.Uplink) is not null;

    /// <summary>Sets up this end of the way out.</summary>
    internal void ConnectUplink(Uplink uplink, bool hasIpv6)
    {
        LinkState link = _route.FindLink(LinkNames.Uplink) ?? throw new IOException("the way out of a project is gone");
        _route.Execute(b =>
        {
            b.SetLink(link.Index, "set the way out up", up: true);
            b.AddAddress(link.Index, uplink.Inside4, Uplink.PrefixLength4);
            b.SetRoute(IPNetwork.Parse("0.0.0.0/0"), link.Index, uplink.Outside4);
            if (!hasIpv6)
                return;
            b.AddAddress(link.Index, uplink.Inside6, Uplink.PrefixLength6);
            b.SetRoute(IPNetwork.Parse("::/0"), link.Index, uplink.Outside6);
        });
    }

    /// <summary>Whether the first packet of a flow would pass: the same decision as the kernel's, from the same compiled policies.</summary>
    public bool Passes(FlowTuple flow)
    {
        lock (_gate)
            return _firewall.Passes(flow);
    }

    /// <summary>Packets and bytes: by policy (<c>policy-ID</c>), by default, and dropped for each reason.</summary>
    public IReadOnlyDictionary<string, Traffic> Counters()
    {
        lock (_gate)
            return _firewall.Counters();
    }

    /// <summary>Removes all and lets go of the namespace.</summary>
    public void Remove()
    {
        lock (_gate)
        {
            _topology.Remove();
            _firewall.Remove();
            if (Namespace.Path is { } path)
                NetworkNamespace.DeleteAt(path);
        }
    }

    /// <summary>Lets go of descriptors; the network stays.</summary>
    public void Dispose()
    {
        _route.Dispose();
        _nft.Dispose();
        _connections.Dispose();
        Namespace.Dispose();
    }

    private ProjectPlan Effective(ProjectPlan plan) => _names.IsEmpty ? plan : plan with { Resolved = plan.Resolved.SetItems(_names.Current()) };

    // Whether something that might pass before might not now: all but ports that come.
    private static bool Narrows(ProjectPlan before, ProjectPlan plan) => plan.Policies != before.Policies || plan.Groups != before.Groups || plan.Stance != before.Stance ||
        plan.Routes != before.Routes || plan.Segments != before.Segments || plan.Published != before.Published || plan.Resolved != before.Resolved ||
        (plan.Ports != before.Ports && before.Ports.Any(p => !plan.Ports.TryGetValue(p.Key, out PortSpec? kept) || !ReferenceEquals(kept, p.Value)));

    private PortSpec LocalPort(string portId) =>
        _plan is { } plan && plan.Ports.TryGetValue(portId, out PortSpec? port) && port.Machine is null
            ? port
            : throw new CandelaException(ErrorCode.NotFound, $"no port {portId} on this machine; add it to the plan first");

    private static void SetParameters(NetworkNamespace space)
    {
        space.SetParameter("ipv4/ip_forward", "1");
        foreach (string scope in (ReadOnlySpan<string>)["all", "default"])
        {
            space.SetParameter($"ipv4/conf/{scope}/send_redirects", "0");
            space.SetParameter($"ipv4/conf/{scope}/accept_redirects", "0");
            space.SetParameter($"ipv4/conf/{scope}/rp_filter", "0");
            if (space.GetParameter($"ipv6/conf/{scope}/forwarding") is null)
                continue;
            space.SetParameter($"ipv6/conf/{scope}/forwarding", "1");
            space.SetParameter($"ipv6/conf/{scope}/accept_ra", "0");
            space.SetParameter($"ipv6/conf/{scope}/accept_redirects", "0");
            space.SetParameter($"ipv6/conf/{scope}/accept_dad", "0");
        }

        // A connection that was forgotten, because a policy ended it, must not come back in the other direction.
        space.SetParameter("netfilter/nf_conntrack_tcp_loose", "0");
    }
}
