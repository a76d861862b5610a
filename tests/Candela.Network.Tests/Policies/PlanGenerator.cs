using System.Collections.Immutable;
using System.Net;
using Candela.Network.Plan;

namespace Candela.Network.Tests.Policies;

/// <summary>Makes policies at random, from a seed: few values of everything, so that policies meet, overlap and contradict.</summary>
internal sealed class PlanGenerator(int seed)
{
    private static readonly ushort[] s_ports = [22, 53, 80, 443, 8080];
    private readonly Random _random = new(seed);

    public ImmutableDictionary<string, Policy> Policies(ProjectPlan plan, int count) => Enumerable.Range(0, count).Select(i => Policy(plan, $"policy{i}")).ToImmutableDictionary(p => p.Id);

    public Policy Policy(ProjectPlan plan, string id)
    {
        Direction direction = Pick(Direction.Ingress, Direction.Egress);
        return new Policy
        {
            Id = id,
            Direction = direction,
            Action = plan.Stance == DefaultStance.Closed ? Pick(PolicyAction.Allow, PolicyAction.Allow, PolicyAction.Deny) : Pick(PolicyAction.Allow, PolicyAction.Deny),
            Priority = Pick(10, 20, 30),
            Groups = Chance(90) ? [Pick([.. plan.Groups.Keys.Order()]), .. Some(plan.Groups.Keys, 1)] : [],
            Segments = Chance(20) ? Some(plan.Segments.Keys, 1) : [],
            Peers = [.. Enumerable.Range(0, Chance(85) ? _random.Next(1, 3) : 0).Select(_ => Peer(plan, direction))],
            Services = [.. Enumerable.Range(0, Chance(80) ? _random.Next(1, 4) : 0).Select(_ => Service())],
            IsLogged = Chance(50),
        };
    }

    public IEnumerable<Flow> Flows(ProjectPlan plan, int count)
    {
        PortSpec[] ports = [.. plan.Ports.Values.OrderBy(p => p.Id, StringComparer.Ordinal)];
        for (int i = 0; i < count; i++)
        {
            PortSpec from = Pick(ports), to = Pick([.. ports.Where(p => p != from)]);
            bool isIpv6 = Chance(50);
            Protocol protocol = Pick(Protocol.Tcp, Protocol.Udp, isIpv6 ? Protocol.Icmp6 : Protocol.Icmp);
            ushort port = Chance(70) ? Pick(s_ports) : (ushort)_random.Next(1, 65536);
            // DHCP clients' ports are refused whatever policies say.
            port = port is 68 or 546 ? (ushort)69 : port;
            yield return new Flow(from, to, isIpv6, protocol, port, isIpv6 ? Pick<byte>(128, 139) : Pick<byte>(8, 13));
        }
    }

    public bool Chance(int percent) => _random.Next(100) < percent;

    public T Pick<T>(params T[] values) => values[_random.Next(values.Length)];

    private Peer Peer(ProjectPlan plan, Direction direction)
    {
        PortSpec port = Pick([.. plan.Ports.Values.OrderBy(p => p.Id, StringComparer.Ordinal)]);
        bool isIpv6 = Chance(50);
        return _random.Next(direction == Direction.Egress ? 6 : 5) switch
        {
            0 or 1 => new Peer.Group(Pick([.. plan.Groups.Keys.Order()])),
            2 => new Peer.Segment(Pick([.. plan.Segments.Keys.Order()])),
            5 => new Peer.DnsName(Pick("a.example", "b.example")),
            _ => isIpv6
                ? new Peer.Cidr(Network(port.Ipv6!, Pick(0, 8, 64, 120, 126, 128)), [.. Enumerable.Range(0, _random.Next(3)).Select(_ => Network(Any(plan).Ipv6!, Pick(124, 127, 128)))])
                : new Peer.Cidr(Network(port.Ipv4!, Pick(0, 8, 16, 24, 28, 30, 32)), [.. Enumerable.Range(0, _random.Next(3)).Select(_ => Network(Any(plan).Ipv4!, Pick(29, 31, 32)))]),
        };
    }

    private PortSpec Any(ProjectPlan plan) => Pick([.. plan.Ports.Values.OrderBy(p => p.Id, StringComparer.Ordinal)]);

    private Service Service()
    {
        switch (_random.Next(6))
        {
            case 0: return Plan.Service.All(Pick(Protocol.Tcp, Protocol.Udp, Protocol.Icmp, Protocol.Icmp6));
            case 1: return new Service { Protocol = Protocol.Icmp, IcmpType = Pick<byte>(8, 13) };
            case 2: return new Service { Protocol = Protocol.Icmp6, IcmpType = Pick<byte>(128, 139) };
            case 3:
                int first = Pick(1, 53, 80, 1024), last = Pick(80, 443, 8079, 65535);
                return Plan.Service.Ports(Pick(Protocol.Tcp, Protocol.Udp), Math.Min(first, last), Math.Max(first, last));
            case 4 when Chance(10): return Plan.Service.All(Protocol.Any);
            default: return Plan.Service.Ports(Pick(Protocol.Tcp, Protocol.Udp), Pick(s_ports));
        }
    }

    private ImmutableArray<string> Some(IEnumerable<string> values, int most) => [.. values.Order().Where(_ => Chance(40)).Take(_random.Next(most + 1))];

    private static IPNetwork Network(IPAddress address, int length)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int bit = length; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPNetwork(new IPAddress(bytes), length);
    }
}
