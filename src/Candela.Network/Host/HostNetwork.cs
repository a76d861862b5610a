using System.Net;
using System.Net.Sockets;
using Candela.Model;
using Candela.Network.Addressing;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;
using Candela.Network.Nftables;
using Candela.Network.Plan;

namespace Candela.Network.Host;

/// <summary>
/// What Candela has in the host's own namespace: one table, the host's ends of the projects' ways out, and the sockets that hold
/// published ports.
/// </summary>
/// <remarks>Not for several threads at once.</remarks>
internal sealed class HostNetwork : IDisposable
{
    // Shared address space (RFC 6598) is for such inner networks; benchmarking space (RFC 2544) where that is in use.
    private static readonly IPNetwork[] s_transit4 = [.. Enumerable.Range(0, 64).Select(static i => IPNetwork.Parse($"100.{127 - i}.0.0/16")), IPNetwork.Parse("198.18.0.0/16"), IPNetwork.Parse("198.19.0.0/16")];

    // Unique local addresses (RFC 4193).
    private static readonly IPNetwork[] s_transit6 = [.. Enumerable.Range(0, 64).Select(static i => IPNetwork.Parse($"fdcd:6e64:7472:{0x616e + i:x}::/64"))];

    private readonly NetworkNamespace _host;
    private readonly RouteSocket _route;
    private readonly NftSocket _nft;
    private readonly HostFirewall _firewall;
    private readonly ForwardingSwitch _forwarding;
    private readonly PortReservations _reservations;
    private readonly HostOptions _options;

    public HostNetwork(NetworkNamespace host, HostOptions options, string stateFolder)
    {
        _host = host;
        _route = new RouteSocket(host);
        _nft = new NftSocket(host);
        _reservations = new PortReservations(host);
        _options = options with { TransitIpv4 = options.TransitIpv4 ?? ChooseTransit(options.LinkPrefix, s_transit4), TransitIpv6 = options.TransitIpv6 ?? ChooseTransit(options.LinkPrefix, s_transit6) };
        _forwarding = new ForwardingSwitch(host, stateFolder);
        _forwarding.On(LinksOfOthers());
        _firewall = new HostFirewall(_nft, _options, _forwarding.WasOff);
        Tunnels = new Tunnels(_route, options.VxlanPort);
    }

    /// <summary>Makes VXLAN links.</summary>
    public Tunnels Tunnels { get; }

    /// <summary>The way out of a project.</summary>
    public Uplink UplinkOf(ProjectPlan plan) => Uplink.Of(plan, _options);

    /// <summary>Holds published ports; the first thing to do of a plan, since it may be refused.</summary>
    /// <exception cref="CandelaException">A port is taken.</exception>
    public void Reserve(NetworkPlan plan) => _reservations.Apply(plan.Projects.Values.SelectMany(p => p.Published));

    /// <summary>Changes the table.</summary>
    public void ApplyFirewall(NetworkPlan plan) => _firewall.Apply(plan, UplinkOf);

    /// <summary>Makes and removes ways out. Deletes links with Candela's prefix that the plan does not have.</summary>
    public void ApplyUplinks(NetworkPlan plan, Func<string, ProjectNetwork> networkOf)
    {
        Dictionary<string, ProjectPlan> wanted = plan.Projects.Values.Where(Uplink.IsNeeded).ToDictionary(p => UplinkOf(p).HostLink);
        Dictionary<string, LinkState> links = _route.Links().Where(l => l.Name.StartsWith(_options.LinkPrefix, StringComparison.Ordinal)).ToDictionary(l => l.Name);
        _route.Execute(batch =>
        {
            foreach (LinkState link in links.Values.Where(l => !wanted.ContainsKey(l.Name)))
                batch.DeleteLink(link.Index, link.Name);
        });
        HashSet<(int, IPAddress)> addresses = [.. _route.Addresses().Select(a => (a.Index, a.Address))];
        foreach ((string name, ProjectPlan project) in wanted)
        {
            bool isThere = links.TryGetValue(name, out LinkState? link) && addresses.Contains((link.Index, UplinkOf(project).Outside4)) && networkOf(project.Id).HasUplink;
            if (!isThere)
                AddUplink(project, networkOf(project.Id), links.GetValueOrDefault(name));
        }
    }

    /// <summary>Removes everything, and sets forwarding to what it was.</summary>
    public void Remove()
    {
        _route.Execute(batch =>
        {
            foreach (LinkState link in _route.Links().Where(l => l.Name.StartsWith(_options.LinkPrefix, StringComparison.Ordinal)))
                batch.DeleteLink(link.Index, link.Name);
        });
        _firewall.Remove();
        _forwarding.Restore(LinksOfOthers());
    }

    public void Dispose()
    {
        _reservations.Dispose();
        _route.Dispose();
        _nft.Dispose();
    }

    private void AddUplink(ProjectPlan plan, ProjectNetwork network, LinkState? half)
    {
        Uplink uplink = UplinkOf(plan);
        if (half is not null)
            _route.Execute(b => b.DeleteLink(half.Index, half.Name));
        _route.Execute(b => b.AddVeth(uplink.HostLink, LinkNames.Uplink, network.Namespace));
        LinkState link = _route.FindLink(uplink.HostLink) ?? throw new IOException($"link {uplink.HostLink} is gone");
        // A connection from the host's 127.0.0.1 to a published port leaves by this link.
        _host.SetParameter($"ipv4/conf/{uplink.HostLink}/route_localnet", "1");
        _route.Execute(b =>
        {
            b.SetAutomaticIPv6(link.Index, link.Name, enabled: true);
            b.SetLink(link.Index, $"set {link.Name} up", up: true, alias: _forwarding.Describe($"candela project {plan.Id}"));
            b.AddAddress(link.Index, uplink.Outside4, Uplink.PrefixLength4);
            if (HasIpv6)
                b.AddAddress(link.Index, uplink.Outside6, Uplink.PrefixLength6);
        });
        network.ConnectUplink(uplink, HasIpv6);
    }

    private bool HasIpv6 => _host.GetParameter("ipv6/conf/all/disable_ipv6") == "0";

    private IPNetwork ChooseTransit(string ownPrefix, IPNetwork[] candidates)
    {
        IPNetwork[] used = [.. RoutesOfOthers(ownPrefix, candidates[0].BaseAddress.AddressFamily)];
        foreach (IPNetwork candidate in candidates)
        {
            if (!used.Any(u => SubnetPool.Overlap(u, candidate)))
                return candidate;
        }

        throw new CandelaException(ErrorCode.ResourceExhausted, $"the host has routes to all networks from {candidates[0]} to {candidates[^1]} that the projects' ways out could have: remove one");
    }

    private IEnumerable<IPNetwork> RoutesOfOthers(string ownPrefix, AddressFamily family)
    {
        var ours = _route.Links().Where(l => l.Name.StartsWith(ownPrefix, StringComparison.Ordinal)).Select(l => l.Index).ToHashSet();
        return _route.Routes().Where(r => r.Destination.PrefixLength > 0 && r.Destination.BaseAddress.AddressFamily == family && !ours.Contains(r.Index))
            .Select(r => r.Destination);
    }

    private IEnumerable<LinkState> LinksOfOthers() => _route.Links()
        .Where(l => l.Name.StartsWith(HostOptions.LinkFamily, StringComparison.Ordinal) && !l.Name.StartsWith(_options.LinkPrefix, StringComparison.Ordinal));
}
