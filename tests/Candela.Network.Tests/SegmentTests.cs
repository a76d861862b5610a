using Candela.Network.Plan;
using Candela.Network.Tests.Lab;

namespace Candela.Network.Tests;

public sealed class SegmentTests : IDisposable
{
    private readonly ProjectLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public void Two_hosts_of_a_segment_reach_each_other_and_their_gateway()
    {
        SegmentSpec segment = _lab.AddSegment("a", 1);
        HostEndpoint one = _lab.ConnectHost(_lab.AddPort("one", segment)), two = _lab.ConnectHost(_lab.AddPort("two", segment));

        Assert.True(one.Pings(two.Port.Ipv4!));
        Assert.True(one.Pings(two.Port.Ipv6!));
        Assert.True(two.Pings(segment.Gateway4!));
        Assert.True(two.Pings(segment.Gateway6!));
    }

    [Fact]
    public void Segments_do_not_reach_each_other_unless_a_route_is_declared()
    {
        SegmentSpec a = _lab.AddSegment("a", 1), b = _lab.AddSegment("b", 2);
        HostEndpoint one = _lab.ConnectHost(_lab.AddPort("one", a)), two = _lab.ConnectHost(_lab.AddPort("two", b));

        Assert.False(one.Pings(two.Port.Ipv4!));
        Assert.True(_lab.Network.Counters()["unrouted"].Packets > 0);

        _lab.Apply(p => p with { Routes = [new SegmentRoute("a", "b")] });
        Assert.True(one.Pings(two.Port.Ipv4!));
        Assert.True(two.Pings(one.Port.Ipv6!));

        _lab.Apply(p => p with { Routes = [] });
        Assert.False(one.Pings(two.Port.Ipv4!));
    }

    [Fact]
    public void A_closed_project_lets_nothing_pass_without_a_policy()
    {
        _lab.Plan = _lab.Plan with { Stance = DefaultStance.Closed };
        SegmentSpec segment = _lab.AddSegment("a", 1);
        HostEndpoint one = _lab.ConnectHost(_lab.AddPort("one", segment)), two = _lab.ConnectHost(_lab.AddPort("two", segment));

        Assert.False(one.Pings(two.Port.Ipv4!));
    }
}
