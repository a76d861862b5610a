using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Candela.Network.Dns;
using Candela.Network.Namespaces;
using Candela.Network.Plan;
using Candela.Network.Tests.Lab;

namespace Candela.Network.Tests;

public sealed class DnsTests : IDisposable
{
    private readonly MachineLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public void Names_resolve_inside_the_segment_only()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1), MachineLab.Segment("b", 2));
        HostEndpoint web = Named("a", "web", "web", "www"), client = Named("a", "client", "client"), other = Named("b", "other", "other");

        Assert.Equal([web.Port.Ipv4!], Ask(client, "web", DnsType.A).Addresses);
        Assert.Equal([web.Port.Ipv6!], Ask(client, "WWW", DnsType.Aaaa).Addresses);
        Assert.Equal([web.Port.Ipv4!], Ask(client, "web", DnsType.A, overTcp: true).Addresses);
        Assert.Equal(DnsCode.NameError, Ask(other, "web", DnsType.A).Code);
        Assert.Equal(DnsCode.NameError, Ask(client, "nobody", DnsType.A).Code);
    }

    [Fact]
    public void The_server_of_a_segment_does_not_hear_another()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1), MachineLab.Segment("b", 2));
        Named("a", "web", "web");
        HostEndpoint other = Named("b", "other", "other");
        using Socket socket = other.Namespace.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        socket.SendTo(Question("web", DnsType.A, 7), new IPEndPoint(IPAddress.Parse("10.1.0.1"), 53));
        Assert.False(socket.Poll(TimeSpan.FromMilliseconds(500), SelectMode.SelectRead) && socket.Receive(new byte[512]) > 0);
    }

    [Fact]
    public void An_alias_of_several_containers_turns_round()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1));
        HostEndpoint one = Named("a", "one", "one", "service"), two = Named("a", "two", "two", "service");

        IPAddress[] first = [.. Enumerable.Range(0, 4).Select(_ => Ask(one, "service", DnsType.A).Addresses[0])];
        Assert.Equal(2, first.Distinct().Count());
        Assert.Equal(2, Ask(two, "service", DnsType.A).Addresses.Count);
    }

    [Fact]
    public void A_name_without_an_address_of_the_kind_has_an_empty_answer_and_addresses_have_names()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1) with { Ipv6 = null, Gateway6 = null });
        var port = new PortSpec { Id = "v4", SegmentId = "a", Mac = new MacAddress(0x02cd_0000_0001), Ipv4 = IPAddress.Parse("10.1.0.9"), Names = ["v4"] };
        _lab.Change("p", p => p with { Ports = p.Ports.SetItem("v4", port) });
        HostEndpoint v4 = HostEndpoint.Connect(_lab.Network.Project("p"), port, _lab.Plan.Projects["p"].Segments["a"]);

        (DnsCode code, List<IPAddress> addresses, _) = Ask(v4, "v4", DnsType.Aaaa);
        Assert.Equal(DnsCode.NoError, code);
        Assert.Empty(addresses);
        Assert.Contains("v4", Encoding.ASCII.GetString(Ask(v4, "9.0.1.10.in-addr.arpa", DnsType.Ptr).Raw), StringComparison.Ordinal);
        Assert.Equal(DnsCode.NameError, Ask(v4, "8.0.1.10.in-addr.arpa", DnsType.Ptr).Code);
        v4.Dispose();
    }

    [Fact]
    public void Names_outside_are_asked_of_the_hosts_resolvers_and_not_by_internal_segments()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1), MachineLab.Segment("b", 2, isInternal: true));
        HostEndpoint one = Named("a", "one", "one"), two = Named("b", "two", "two");
        using var resolver = new FakeResolver(_lab, IPAddress.Parse("203.0.113.7"));

        Assert.Equal([IPAddress.Parse("203.0.113.7")], Ask(one, "example.org", DnsType.A).Addresses);
        Assert.Equal([IPAddress.Parse("203.0.113.7")], Ask(one, "example.org", DnsType.A, overTcp: true).Addresses);
        Assert.Equal(DnsCode.Refused, Ask(two, "example.org", DnsType.A).Code);
    }

    [Fact]
    public void Without_an_answer_the_question_fails_and_later_ones_do_not_suffer()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1));
        HostEndpoint one = Named("a", "one", "one");
        Assert.Equal(DnsCode.ServerFailure, Ask(one, "example.org", DnsType.A).Code);
        Assert.Equal(DnsCode.NoError, Ask(one, "one", DnsType.A).Code);
    }

    [Fact]
    public void Malformed_questions_are_refused_and_harmless()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1));
        HostEndpoint one = Named("a", "one", "one");
        using Socket socket = Udp(one.Namespace);
        var random = new Random(1);
        byte[] good = Question("one", DnsType.A, 1);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bad = [.. good];
            for (int n = 0; n < random.Next(1, 6); n++)
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            socket.SendTo(bad[..random.Next(bad.Length + 1)], new IPEndPoint(IPAddress.Parse("10.1.0.1"), 53));
        }

        Assert.Equal([one.Port.Ipv4!], Ask(one, "one", DnsType.A).Addresses);
    }

    [Fact]
    public void A_policy_by_name_holds_for_the_addresses_that_the_name_has()
    {
        _lab.AddProject("p", MachineLab.Segment("a", 1));
        HostEndpoint one = Named("a", "one", "one");
        _lab.Change("p", p => p with
        {
            Policies = new[]
            {
                new Policy { Id = "nothing", Direction = Direction.Egress, Action = PolicyAction.Deny, Priority = 100 },
                new Policy { Id = "but", Direction = Direction.Egress, Action = PolicyAction.Allow, Priority = 10, Peers = [new Peer.DnsName("*.example.org")] },
            }.ToImmutableDictionary(x => x.Id),
        });
        using Socket server = Sockets.Listen(_lab.Outside, MachineLab.OutsideAddress, 80);
        using var resolver = new FakeResolver(_lab, MachineLab.OutsideAddress);

        Assert.True(Sockets.IsUnreachable(one.Namespace, MachineLab.OutsideAddress, 80));
        Assert.Equal([MachineLab.OutsideAddress], Ask(one, "www.example.org", DnsType.A).Addresses);
        Assert.NotNull(Sockets.SourceSeen(one.Namespace, MachineLab.OutsideAddress, 80, server));
    }

    private HostEndpoint Named(string segment, string id, params string[] names)
    {
        HostEndpoint end = _lab.ConnectHost("p", segment, id);
        _lab.Change("p", p => p with { Ports = p.Ports.SetItem(id, p.Ports[id] with { Names = [.. names] }) });
        return end;
    }

    private static (DnsCode Code, List<IPAddress> Addresses, byte[] Raw) Ask(HostEndpoint from, string name, DnsType type, bool overTcp = false)
    {
        IPAddress server = new([10, from.Port.Ipv4!.GetAddressBytes()[1], 0, 1]);
        byte[] question = Question(name, type, 4711), answer = new byte[4096];
        int count;
        if (overTcp)
        {
            using Socket connection = Sockets.Connect(from.Namespace, server, 53) ?? throw new TimeoutException();
            connection.Send([(byte)(question.Length >> 8), (byte)question.Length, .. question]);
            byte[] framed = new byte[4098];
            connection.ReceiveTimeout = 10_000;
            count = connection.Receive(framed) - 2;
            framed.AsSpan(2).CopyTo(answer);
        }
        else
        {
            using Socket socket = Udp(from.Namespace);
            EndPoint sender = new IPEndPoint(IPAddress.Any, 0);
            // As a resolver does: a datagram may be lost when many are under way.
            for (int tries = 0; tries == 0 || !socket.Poll(TimeSpan.FromSeconds(5), SelectMode.SelectRead); tries++)
            {
                if (tries == 5)
                    throw new TimeoutException($"no answer about {name}");
                socket.SendTo(question, new IPEndPoint(server, 53));
            }

            count = socket.ReceiveFrom(answer, ref sender);
            Assert.Equal(new IPEndPoint(server, 53), sender);
        }

        Assert.Equal(4711, BinaryPrimitives.ReadUInt16BigEndian(answer));
        return (DnsMessage.CodeOf(answer), DnsMessage.AddressesOf(answer.AsSpan(0, count), out _), answer[..count]);
    }

    private static Socket Udp(NetworkNamespace space) => space.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));

    private static byte[] Question(string name, DnsType type, ushort id)
    {
        byte[] labels = [.. name.Split('.').SelectMany(l => (byte[])[(byte)l.Length, .. Encoding.ASCII.GetBytes(l)]), 0];
        return [(byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. labels, (byte)((ushort)type >> 8), (byte)type, 0, 1];
    }

    /// <summary>Answers every question with one address, at 192.0.2.2.</summary>
    private sealed class FakeResolver : IDisposable
    {
        private readonly Socket _udp, _tcp;

        public FakeResolver(MachineLab lab, IPAddress address)
        {
            _udp = Udp(lab.Outside);
            _udp.Bind(new IPEndPoint(MachineLab.OutsideAddress, 53));
            _tcp = Sockets.Listen(lab.Outside, MachineLab.OutsideAddress, 53);
            _ = Task.Run(async () =>
            {
                byte[] buffer = new byte[512];
                while (true)
                {
                    SocketReceiveFromResult received = await _udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                    await _udp.SendToAsync(Answer(buffer.AsSpan(0, received.ReceivedBytes), address), received.RemoteEndPoint);
                }
            });
            _ = Task.Run(async () =>
            {
                while (true)
                {
                    using Socket connection = await _tcp.AcceptAsync();
                    await using var stream = new NetworkStream(connection);
                    byte[]? question = await DnsStream.ReadAsync(stream, 512, CancellationToken.None);
                    await DnsStream.WriteAsync(stream, Answer(question, address), CancellationToken.None);
                }
            });
        }

        public void Dispose()
        {
            _udp.Dispose();
            _tcp.Dispose();
        }

        private static byte[] Answer(ReadOnlySpan<byte> question, IPAddress address) => DnsMessage.Answer(DnsMessage.ReadQuery(question, out _)!, [address], 60);
    }
}
