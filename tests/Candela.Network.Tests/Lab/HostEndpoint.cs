using System.Diagnostics;
using System.Net;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;
using Candela.Network.Plan;

namespace Candela.Network.Tests.Lab;

/// <summary>A namespace with one link on a segment: what a container's kernel is in production.</summary>
internal sealed class HostEndpoint : IDisposable
{
    private HostEndpoint(NetworkNamespace space, PortSpec port) => (Namespace, Port) = (space, port);

    public NetworkNamespace Namespace { get; }

    public PortSpec Port { get; }

    public static HostEndpoint Connect(ProjectNetwork network, PortSpec port, SegmentSpec segment)
    {
        NetworkNamespace space = NetworkNamespace.CreateAnonymous();
        using var route = new RouteSocket(space);
        route.Execute(b => b.AddVeth("eth0", "port", mac: port.Mac, mtu: segment.Mtu));
        space.SetParameter("ipv6/conf/eth0/accept_dad", "0");
        int index = route.FindLink("eth0")!.Index;
        route.Execute(b =>
        {
            b.SetLink(route.FindLink("lo")!.Index, "set lo up", up: true);
            b.SetLink(index, "set eth0 up", up: true);
            if (port.Ipv4 is { } ipv4)
                b.AddAddress(index, ipv4, segment.Ipv4!.Value.PrefixLength);
            if (port.Ipv6 is { } ipv6)
                b.AddAddress(index, ipv6, segment.Ipv6!.Value.PrefixLength);
        });
        network.AdoptLink(port.Id, space, "port");
        route.Execute(b =>
        {
            if (segment.Gateway4 is { } gateway4)
                b.SetRoute(IPNetwork.Parse("0.0.0.0/0"), index, gateway4);
            if (segment.Gateway6 is { } gateway6)
                b.SetRoute(IPNetwork.Parse("::/0"), index, gateway6);
        });
        return new HostEndpoint(space, port);
    }

    /// <summary>Whether ping(8) gets an answer: to one of three, since a link that has just come up may lose packets.</summary>
    public bool Pings(IPAddress address) => Run("ping", "-c", "3", "-i", "0.3", "-W", "1", address.ToString()).ExitCode == 0;

    /// <summary>Runs a program inside.</summary>
    public (int ExitCode, string Output) Run(string program, params string[] arguments)
    {
        using Process process = Namespace.Run(() =>
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            return Process.Start(start)!;
        });
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    public void Dispose() => Namespace.Dispose();
}
