using System.Net;
using Candela.Network.Plan;

namespace Candela.Controller.Networks;

/// <summary>Ports of the host that cannot be published on.</summary>
internal sealed class TakenPorts
{
    // Of each port the addresses; null: all.
    private readonly Dictionary<(Protocol Protocol, ushort Port), List<IPAddress?>> _ports = [];

    /// <summary>Those that are published on, of any project.</summary>
    public static TakenPorts Of(NetworkPlan plan)
    {
        var taken = new TakenPorts();
        foreach (PublishedPort port in plan.Projects.Values.SelectMany(static p => p.Published))
            taken.Add(port.Protocol, port.HostAddress, port.HostPort);
        return taken;
    }

    /// <summary>One more.</summary>
    /// <param name="protocol">Its protocol.</param>
    /// <param name="address">The host's address; null and any address: all.</param>
    /// <param name="port">The port.</param>
    public void Add(Protocol protocol, IPAddress? address, ushort port)
    {
        if (!_ports.TryGetValue((protocol, port), out List<IPAddress?>? addresses))
            _ports.Add((protocol, port), addresses = []);
        addresses.Add(IPAddress.Any.Equals(address) || IPAddress.IPv6Any.Equals(address) ? null : address);
    }

    /// <summary>Whether one is among them.</summary>
    public bool Has(Protocol protocol, IPAddress? address, ushort port) =>
        _ports.TryGetValue((protocol, port), out List<IPAddress?>? addresses) && (address is null || addresses.Any(a => a is null || a.Equals(address)));
}
