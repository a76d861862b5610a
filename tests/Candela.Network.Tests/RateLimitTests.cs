using System.Diagnostics;
using Candela.Network.Plan;
using Candela.Network.Tests.Lab;

namespace Candela.Network.Tests;

public sealed class RateLimitTests : IDisposable
{
    private const long BytesPerSecond = 2_000_000;
    private readonly ProjectLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_port_sends_and_receives_no_more_than_it_may(bool egress)
    {
        SegmentSpec segment = _lab.AddSegment("a", 1);
        PortSpec limited = _lab.AddPort("limited", segment) with { EgressBytesPerSecond = egress ? BytesPerSecond : null, IngressBytesPerSecond = egress ? null : BytesPerSecond };
        _lab.Plan = _lab.Plan with { Ports = _lab.Plan.Ports.SetItem("limited", limited) };
        TapEndpoint one = _lab.Connect(limited), other = _lab.Connect(_lab.AddPort("other", segment));
        (TapEndpoint from, TapEndpoint to) = egress ? (one, other) : (other, one);

        // As fast as it goes for a while: what comes through is the rate, and a second's worth saved up.
        byte[] frame = from.Packet(to.Port.Mac, to.Port.Ipv4!, Protocol.Udp, Frames.Udp(1, 2, new byte[1400]));
        long received = 0, sent = 0;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < TimeSpan.FromSeconds(1))
        {
            from.Send(frame);
            sent++;
            received += to.Receive().Count;
        }

        double most = BytesPerSecond * (clock.Elapsed.TotalSeconds + 1) * 1.05;
        Assert.True(sent * frame.Length > most, "the test did not send enough to see a limit");
        Assert.InRange(received * frame.Length, BytesPerSecond / 4, (long)most);
        Assert.True(_lab.Network.Counters()["limited"].Packets > 0);

        // Without a limit all comes through.
        _lab.Apply(p => p with { Ports = p.Ports.SetItem("limited", limited with { EgressBytesPerSecond = null, IngressBytesPerSecond = null }) });
        Assert.All(Enumerable.Range(0, 500), _ => Assert.True(from.Reaches(to, frame)));
    }
}
