using System.Collections.Immutable;
using System.Net;
using System.Runtime.InteropServices;
using Candela.Network;
using Candela.Network.Firewall;
using Candela.Network.Plan;
using Microsoft.Win32.SafeHandles;

namespace Candela.Bench.Networks;

/// <summary>A project's network in a namespace of its own, with many ports of which two have taps.</summary>
internal sealed partial class PolicyLab : IDisposable
{
    private const int HeaderBytes = 12; // struct virtio_net_hdr_v1
    private const int LabelledPorts = 10;
    private readonly string _folder = Directory.CreateTempSubdirectory("candela-bench-net-").FullName;
    private readonly ProjectNetwork _network;
    private readonly byte[] _packet, _buffer = new byte[2048];
    private readonly SafeFileHandle _from, _to;

    /// <param name="ports">Ports; one in ten in each group.</param>
    /// <param name="policies">Policies, each about one group and one peer.</param>
    public PolicyLab(int ports, int policies)
    {
        _network = ProjectNetwork.Open(Path.Combine(_folder, "namespace"), new FlowLogOptions(), TimeProvider.System, null);
        var segment = new SegmentSpec { Id = "s", Ipv4 = IPNetwork.Parse("10.0.0.0/16"), Gateway4 = IPAddress.Parse("10.0.0.1") };
        PortSpec[] all = [.. Enumerable.Range(0, ports).Select(i => PortOf(i, ports))];
        Plan = new ProjectPlan
        {
            Id = "bench",
            Segments = ImmutableDictionary<string, SegmentSpec>.Empty.Add(segment.Id, segment),
            Ports = all.ToImmutableDictionary(p => p.Id),
            Groups = Enumerable.Range(0, Groups(ports)).Select(GroupOf).ToImmutableDictionary(g => g.Id),
            Policies = Enumerable.Range(0, policies).Select(i => PolicyOf(i, ports, PolicyAction.Allow)).ToImmutableDictionary(p => p.Id),
        };
        _network.Apply(Plan);
        _from = _network.CreateTap(all[0].Id);
        _to = _network.CreateTap(all[1].Id);
        _packet = Udp(all[0], all[1]);
        // The bridge takes packets as soon as it has seen that its link is there.
        var begun = System.Diagnostics.Stopwatch.StartNew();
        while (!Reaches())
        {
            if (begun.Elapsed > TimeSpan.FromSeconds(30))
                throw new TimeoutException("no packet came through the lab's bridge");
        }
    }

    public ProjectPlan Plan { get; private set; }

    public void Apply(ProjectPlan plan)
    {
        _network.Apply(plan);
        Plan = plan;
    }

    public static Policy PolicyOf(int number, int ports, PolicyAction action) => new()
    {
        Id = $"policy{number}",
        Direction = number % 2 == 0 ? Direction.Ingress : Direction.Egress,
        Action = action,
        Priority = number % 100,
        Groups = [GroupOf(number % Groups(ports)).Id],
        Peers = [new Peer.Group(GroupOf((number * 7 + 3) % Groups(ports)).Id)],
        Services = [Service.Ports(Protocol.Tcp, 1000 + number % 1000)],
    };

    public static PortSpec PortOf(int number, int ports)
    {
        int host = number + 10;
        return new PortSpec
        {
            Id = $"port{number}",
            SegmentId = "s",
            Mac = new MacAddress(0x02cd_0000_0000 + (ulong)host),
            Ipv4 = new IPAddress([10, 0, (byte)(host >> 8), (byte)host]),
            Labels = ImmutableDictionary<string, string>.Empty.Add("group", $"{number % Groups(ports)}"),
        };
    }

    /// <summary>A policy that denies what the taps say.</summary>
    public static Policy DenyAll => new() { Id = "deny", Direction = Direction.Ingress, Action = PolicyAction.Deny, Priority = 0, Services = [Service.All(Protocol.Udp)] };

    /// <summary>Sends a packet from one tap to the other.</summary>
    /// <returns>It came.</returns>
    public bool Reaches()
    {
        while (read(_to, _buffer, (nuint)_buffer.Length) > 0)
        {
            // neighbours' business
        }

        if (write(_from, _packet, (nuint)_packet.Length) != _packet.Length)
            throw new IOException("a tap took no packet");
        nint count;
        while ((count = read(_to, _buffer, (nuint)_buffer.Length)) > 0)
        {
            if (count == _packet.Length && _buffer.AsSpan(HeaderBytes, 6).SequenceEqual(_packet.AsSpan(HeaderBytes, 6)))
                return true;
        }

        return false;
    }

    public void Dispose()
    {
        _from.Dispose();
        _to.Dispose();
        _network.Remove();
        _network.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int Groups(int ports) => Math.Max(2, ports / LabelledPorts);

    private static SecurityGroup GroupOf(int number) => new() { Id = $"group{number}", Labels = ImmutableDictionary<string, string>.Empty.Add("group", $"{number}") };

    // 106 bytes on the wire: Ethernet, IPv4, UDP without a checksum (RFC 768), 64 bytes.
    private static byte[] Udp(PortSpec from, PortSpec to)
    {
        byte[] packet = new byte[HeaderBytes + 106];
        Span<byte> frame = packet.AsSpan(HeaderBytes);
        to.Mac.Write(frame);
        from.Mac.Write(frame[6..]);
        frame[12] = 8;
        Span<byte> ip = frame[14..];
        ip[0] = 0x45;
        ip[3] = 92;
        ip[8] = 64;
        ip[9] = (byte)Protocol.Udp;
        from.Ipv4!.TryWriteBytes(ip[12..], out _);
        to.Ipv4!.TryWriteBytes(ip[16..], out _);
        uint sum = 0;
        for (int i = 0; i < 20; i += 2)
            sum += (uint)(ip[i] << 8 | ip[i + 1]);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = ~((sum & 0xffff) + (sum >> 16));
        (ip[10], ip[11]) = ((byte)(sum >> 8), (byte)sum);
        Span<byte> udp = ip[20..];
        (udp[0], udp[1], udp[2], udp[3], udp[5]) = (0x10, 0x00, 0x20, 0x00, 72);
        return packet;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle handle, byte[] buffer, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(SafeFileHandle handle, byte[] buffer, nuint length);
}
