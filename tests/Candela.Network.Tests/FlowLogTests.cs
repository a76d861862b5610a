using System.Collections.Immutable;
using System.Net.Sockets;
using Candela.Network.Flows;
using Candela.Network.Plan;
using Candela.Network.Tests.Lab;

namespace Candela.Network.Tests;

public sealed class FlowLogTests : IDisposable
{
    private readonly MachineLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task Who_talked_to_whom_and_by_which_policy()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1), MachineLab.Segment("b", 2));
        HostEndpoint one = _lab.ConnectHost("p", "a", "one"), two = _lab.ConnectHost("p", "a", "two"), far = _lab.ConnectHost("p", "b", "far");
        var allow = new Policy { Id = "web", Direction = Direction.Ingress, Action = PolicyAction.Allow, Priority = 1, Services = [Service.Ports(Protocol.Tcp, 80)] };
        var deny = new Policy { Id = "rest", Direction = Direction.Ingress, Action = PolicyAction.Deny, Priority = 2 };
        _lab.Change("p", p => p with { Policies = new[] { allow, deny }.ToImmutableDictionary(x => x.Id) });
        using Socket server = Sockets.Listen(two.Namespace, two.Port.Ipv4!, 80);

        Assert.NotNull(Sockets.SourceSeen(one.Namespace, two.Port.Ipv4!, 80, server));
        Assert.True(Sockets.IsUnreachable(one.Namespace, two.Port.Ipv4!, 81));
        Assert.True(Sockets.IsUnreachable(one.Namespace, far.Port.Ipv4!, 80));

        FlowEntry allowed = await WaitForAsync(e => e is { Verdict: FlowVerdict.Allowed, PolicyId: "web" });
        Assert.Equal(("one", "two", (ushort)80), (allowed.SourcePortId, allowed.DestinationPortId, allowed.Flow!.Value.DestinationPort));
        FlowEntry denied = await WaitForAsync(e => e is { Verdict: FlowVerdict.Denied, PolicyId: "rest" });
        Assert.Equal((ushort)81, denied.Flow!.Value.DestinationPort);
        FlowEntry unrouted = await WaitForAsync(e => e.Verdict == FlowVerdict.Unrouted);
        Assert.Equal("far", unrouted.DestinationPortId);
        Assert.Empty(_lab.Network.Flows.Query("another"));
    }

    [Fact]
    public async Task A_spoofed_packet_is_logged_with_the_MAC_that_sent_it()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1));
        var port = new PortSpec { Id = "evil", SegmentId = "a", Mac = new MacAddress(0x02cd_0000_0001), Ipv4 = System.Net.IPAddress.Parse("10.1.0.9") };
        _lab.Change("p", p => p with { Ports = p.Ports.SetItem("evil", port) });
        using var evil = new TapEndpoint(port, _lab.Network.CreateTap("p", "evil"));
        evil.Send(Frames.Ip(port.Mac, Frames.Broadcast, System.Net.IPAddress.Parse("10.1.0.77"), System.Net.IPAddress.Parse("10.1.0.1"), Protocol.Udp, Frames.Udp(1, 2, "x"u8)));

        FlowEntry spoofed = await WaitForAsync(e => e.Verdict == FlowVerdict.Spoofed && e.Flow is not null);
        Assert.Equal(port.Mac, spoofed.SourceMac);
        Assert.Equal("10.1.0.77", spoofed.Flow!.Value.Source.ToString());
    }

    // The kernel hands entries over in batches, a tenth of a second late at most.
    private async Task<FlowEntry> WaitForAsync(Func<FlowEntry, bool> filter)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (true)
        {
            if (_lab.Network.Flows.Query("p", filter) is [FlowEntry entry, ..])
                return entry;
            await Task.Delay(20, deadline.Token);
        }
    }
}
