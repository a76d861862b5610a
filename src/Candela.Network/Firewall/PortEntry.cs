using System.Net;
using System.Net.Sockets;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using static Candela.Network.Firewall.FirewallTables;

namespace Candela.Network.Firewall;

/// <summary>What a port adds to the firewall's sets.</summary>
internal sealed class PortEntry
{
    private readonly List<EndpointClass> _classes = [];

    public PortEntry(PortSpec port, Classifier classifier, Identities identities)
    {
        Port = port;
        string link = port.Machine is null ? LinkNames.Port(port.Id) : LinkNames.Tunnel(port.SegmentId);
        foreach (IPAddress address in port.Addresses)
        {
            EndpointClass endpoints = classifier.ClassOf(port, address);
            uint identity = identities.Take(endpoints);
            _classes.Add(endpoints);
            bool isIpv4 = address.AddressFamily == AddressFamily.InterNetwork;
            Elements.Add((isIpv4 ? Endpoints4 : Endpoints6, new NftElement { Key = NftKey.Of(address), Value = NftKey.Of(identity) }));
            Elements.Add((isIpv4 ? Binding4 : Binding6, Binding(link, port.Mac, address)));
        }

        if (port.Ipv6 is not null)
            Elements.Add((Binding6, Binding(link, port.Mac, port.Mac.LinkLocal)));
        if (port.Machine is null)
        {
            AddLimit(EgressLimits, link, "e", port.EgressBytesPerSecond);
            AddLimit(IngressLimits, link, "i", port.IngressBytesPerSecond);
        }
    }

    public PortSpec Port { get; }

    public List<(NftSet Set, NftElement Element)> Elements { get; } = [];

    public List<(string Name, long BytesPerSecond)> Limits { get; } = [];

    /// <summary>On top of the second's worth that the kernel's limits always hold: at least some full-size offloaded packets.</summary>
    public static uint BurstBytes(long bytesPerSecond) => (uint)Math.Max(0, (256 * 1024) - bytesPerSecond);

    public void Release(Identities identities)
    {
        foreach (EndpointClass endpoints in _classes)
            identities.Release(endpoints);
    }

    private static NftElement Binding(string link, MacAddress mac, IPAddress address) => new() { Key = new NftKey().Name(link).Mac(mac).Address(address).Build() };

    private void AddLimit(NftSet set, string link, string suffix, long? bytesPerSecond)
    {
        if (bytesPerSecond is not { } rate)
            return;
        string name = $"{link}-{suffix}";
        Limits.Add((name, rate));
        Elements.Add((set, new NftElement { Key = new NftKey().Name(link).Build(), Limit = name }));
    }
}
