using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using Candela.Network.Firewall;
using Candela.Network.Netlink;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using Microsoft.Win32.SafeHandles;
using static Candela.Network.Native.Libc;

namespace Candela.Network.Flows;

/// <summary>
/// The flow log: what the firewalls of all projects report (nfnetlink_log), the latest of each project kept in memory. One thread
/// waits for all of them. Names of constants are those of linux/netfilter/nfnetlink_log.h.
/// </summary>
public sealed unsafe class FlowLog : IDisposable
{
    /// <summary>Most entries kept for a project; the oldest go first.</summary>
    public const int EntriesOfProject = 10_000;

    /// <summary>Most projects without a network whose entries are kept.</summary>
    public const int ProjectsRemembered = 64;

    private const ushort Subsystem = 4 << 8; // NFNL_SUBSYS_ULOG
    private const ushort NFULNL_MSG_PACKET = 0, NFULNL_MSG_CONFIG = 1;
    private const ushort NFULA_PACKET_HDR = 1, NFULA_PAYLOAD = 9, NFULA_PREFIX = 10, NFULA_HWADDR = 8, NFULA_HWHEADER = 16;
    private const ushort NFULA_CFG_CMD = 1, NFULA_CFG_MODE = 2, NFULA_CFG_TIMEOUT = 4;
    private const byte NFULNL_CFG_CMD_BIND = 1, NFULNL_COPY_PACKET = 2;
    private const uint TimeoutHundredths = 10;
    private const int BufferBytes = 1 << 17;

    private readonly FlowLogOptions _options;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Listener> _listeners = [];
    private readonly Dictionary<string, ProjectFlows> _flows = [];
    private readonly SafeFileHandle _wake;
    private readonly Thread _thread;
    private volatile bool _stopped;

    internal FlowLog(FlowLogOptions options, TimeProvider clock)
    {
        (_options, _clock) = (options, clock);
        _wake = Own(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "making an event descriptor");
        _thread = new Thread(Run) { IsBackground = true, Name = "flow log" };
        _thread.Start();
    }

    private sealed class Listener(string projectId, SafeFileHandle socket, ProjectFlows flows, Func<ProjectPlan?> plan)
    {
        public string ProjectId { get; } = projectId;

        public SafeFileHandle Socket { get; } = socket;

        public ProjectFlows Flows { get; } = flows;

        public ProjectPlan? Plan { get; set; }

        public Dictionary<IPAddress, string> Ports { get; set; } = [];

        public Func<ProjectPlan?> CurrentPlan { get; } = plan;
    }

    /// <summary>The latest entries of a project that fit, oldest first.</summary>
    /// <param name="projectId">The project.</param>
    /// <param name="filter">Which; null for all.</param>
    /// <param name="most">Most entries, 1 to <see cref="EntriesOfProject"/>.</param>
    /// <param name="after">Only entries with a greater number.</param>
    public IReadOnlyList<FlowEntry> Query(string projectId, Func<FlowEntry, bool>? filter = null, int most = 1000, long after = 0)
    {
        lock (_gate)
        {
            return _flows.TryGetValue(projectId, out ProjectFlows? flows)
                ? [.. flows.Entries.Where(e => e.Sequence > after && (filter is null || filter(e))).TakeLast(Math.Clamp(most, 1, EntriesOfProject))]
                : [];
        }
    }

    /// <summary>Waits until a project has an entry with a greater number.</summary>
    /// <returns>The greatest number that there is.</returns>
    public Task<long> WaitAsync(string projectId, long after, CancellationToken cancellationToken)
    {
        lock (_gate)
            return FlowsOf(projectId).WaitAsync(after, _gate, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopped = true;
        Wake();
        _thread.Join();
        foreach (Listener listener in _listeners.Values)
            listener.Socket.Dispose();
        _wake.Dispose();
    }

    internal void Add(ProjectNetwork network, string projectId)
    {
        var setup = new NetlinkSocket(network.Namespace, NetlinkSocket.Netfilter);
        try
        {
            setup.Execute(Binding());
        }
        catch
        {
            setup.Dispose();
            throw;
        }

        SafeFileHandle socket = setup.Detach();

        lock (_gate)
            _listeners.Add(projectId, new Listener(projectId, socket, FlowsOf(projectId), () => network.Plan));
        Wake();
    }

    // What a project's network said stays for a while when the network has gone, as with its last container.
    internal void Remove(string projectId)
    {
        lock (_gate)
        {
            if (!_listeners.Remove(projectId, out Listener? listener))
                return;
            listener.Socket.Dispose();
            listener.Flows.EndedAt = _clock.GetTimestamp();
            foreach ((string id, _) in _flows.Where(f => !_listeners.ContainsKey(f.Key)).OrderByDescending(f => f.Value.EndedAt).Skip(ProjectsRemembered).ToArray())
                _flows.Remove(id);
        }

        Wake();
    }

    private NetlinkBatch Binding()
    {
        var batch = new NetlinkBatch();
        batch.Begin(Subsystem | NFULNL_MSG_CONFIG, NetlinkBatch.Ack, "listen to the firewall's log");
        batch.Fixed(new NftBatch.Header { Resource = BinaryPrimitives.ReverseEndianness(_options.Group) });
        batch.Raw(NFULA_CFG_CMD, [NFULNL_CFG_CMD_BIND]);
        byte[] mode = new byte[6]; // struct nfulnl_msg_config_mode: copy_range, copy_mode
        BinaryPrimitives.WriteUInt32BigEndian(mode, _options.SnapBytes);
        mode[4] = NFULNL_COPY_PACKET;
        batch.Raw(NFULA_CFG_MODE, mode);
        batch.U32BigEndian(NFULA_CFG_TIMEOUT, TimeoutHundredths);
        batch.End();
        return batch;
    }

    private void Wake()
    {
        ulong one = 1;
        _ = write(_wake.Number(), &one, 8);
    }

    private void Run()
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
        while (!_stopped)
        {
            Listener[] listeners;
            lock (_gate)
                listeners = [.. _listeners.Values];
            var descriptors = new Pollfd[listeners.Length + 1];
            descriptors[0] = new Pollfd { Descriptor = _wake.Number(), Events = POLLIN };
            for (int i = 0; i < listeners.Length; i++)
                descriptors[i + 1] = new Pollfd { Descriptor = listeners[i].Socket.IsClosed ? -1 : listeners[i].Socket.Number(), Events = POLLIN };
            fixed (Pollfd* first = descriptors)
            {
                if (poll(first, (nuint)descriptors.Length, -1) < 0 && Marshal.GetLastPInvokeError() != EINTR)
                    throw Failure("waiting for the firewall's log");
            }

            if (descriptors[0].ReturnedEvents != 0)
            {
                ulong count;
                _ = read(_wake.Number(), &count, 8);
            }

            for (int i = 0; i < listeners.Length; i++)
            {
                if (descriptors[i + 1].ReturnedEvents != 0)
                    Receive(listeners[i], buffer);
            }
        }
    }

    private void Receive(Listener listener, byte[] buffer)
    {
        lock (_gate)
        {
            if (listener.Socket.IsClosed)
                return;
            int count;
            fixed (byte* bytes = buffer)
                count = (int)recv(listener.Socket.Number(), bytes, (nuint)buffer.Length, MSG_DONTWAIT);
            // When more came than was read in time the kernel drops some and says so (ENOBUFS): a log of samples may have holes.
            ReadOnlySpan<byte> rest = buffer.AsSpan(0, Math.Max(count, 0));
            while (rest.Length >= 20)
            {
                int length = BinaryPrimitives.ReadInt32LittleEndian(rest);
                if (length < 20 || length > rest.Length)
                    return;
                if (BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]) == (Subsystem | NFULNL_MSG_PACKET))
                    listener.Flows.Add(Read(listener, new NetlinkAttributes(rest[20..length])));
                rest = rest[Math.Min(NetlinkBatch.Align(length), rest.Length)..];
            }
        }
    }

    // To be called under the lock.
    private ProjectFlows FlowsOf(string projectId)
    {
        if (!_flows.TryGetValue(projectId, out ProjectFlows? flows))
            _flows.Add(projectId, flows = new ProjectFlows());
        return flows;
    }

    private FlowEntry Read(Listener listener, NetlinkAttributes attributes)
    {
        string prefix = "";
        FlowTuple? flow = null;
        MacAddress? mac = null;
        ushort protocol = 0;
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case NFULA_PREFIX: prefix = attributes.Text; break;
                case NFULA_PACKET_HDR when attributes.Value.Length >= 2: protocol = BinaryPrimitives.ReadUInt16BigEndian(attributes.Value); break;
                case NFULA_PAYLOAD: flow = ReadFlow(protocol, attributes.Value); break;
                case NFULA_HWHEADER when attributes.Value.Length >= 12: mac = MacAddress.Read(attributes.Value[6..]); break;
                case NFULA_HWADDR when attributes.Value.Length >= 10 && mac is null: mac = MacAddress.Read(attributes.Value[4..]); break;
            }
        }

        if (listener.CurrentPlan() is { } plan && !ReferenceEquals(plan, listener.Plan))
        {
            listener.Plan = plan;
            listener.Ports = plan.Ports.Values.SelectMany(p => p.Addresses.Select(a => (a, p.Id))).ToDictionary(p => p.a, p => p.Id);
        }

        (FlowVerdict verdict, string? policy) = FlowLogPrefix.Read(prefix);
        return new FlowEntry
        {
            Sequence = listener.Flows.Last + 1,
            Time = _clock.GetUtcNow(),
            ProjectId = listener.ProjectId,
            Verdict = verdict,
            PolicyId = policy,
            Flow = flow,
            SourcePortId = flow is { } f ? listener.Ports.GetValueOrDefault(f.Source) : null,
            DestinationPortId = flow is { } g ? listener.Ports.GetValueOrDefault(g.Destination) : null,
            SourceMac = verdict == FlowVerdict.Spoofed ? mac : null,
        };
    }

    private static FlowTuple? ReadFlow(ushort protocol, ReadOnlySpan<byte> packet)
    {
        const ushort ip4 = 0x0800, ip6 = 0x86dd;
        if (protocol == ip4 && packet.Length >= 20 && packet[0] >> 4 == 4)
        {
            int header = (packet[0] & 15) * 4;
            bool isFirst = (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & 0x1fff) == 0;
            return Tuple(new IPAddress(packet[12..16]), new IPAddress(packet[16..20]), packet[9], isFirst && header <= packet.Length ? packet[header..] : []);
        }

        return protocol == ip6 && packet.Length >= 40 && packet[0] >> 4 == 6
            ? Tuple(new IPAddress(packet[8..24]), new IPAddress(packet[24..40]), packet[6], packet[40..])
            : null;
    }

    private static FlowTuple Tuple(IPAddress source, IPAddress destination, byte protocol, ReadOnlySpan<byte> rest)
    {
        bool isIcmp = (Protocol)protocol is Protocol.Icmp or Protocol.Icmp6;
        bool hasPorts = (Protocol)protocol is Protocol.Tcp or Protocol.Udp or Protocol.Sctp && rest.Length >= 4;
        return new FlowTuple(source, destination, (Protocol)protocol, hasPorts ? BinaryPrimitives.ReadUInt16BigEndian(rest) : (ushort)0,
            hasPorts ? BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) : (ushort)0, isIcmp && !rest.IsEmpty ? rest[0] : (byte)0, false);
    }
}
