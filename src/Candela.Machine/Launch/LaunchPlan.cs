using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Candela.Guest.Protocol.Host;
using Candela.Machine.Identities;
using Candela.Model;

namespace Candela.Machine.Launch;

/// <summary>Translates a container's record into what the guest agent is told.</summary>
internal static class LaunchPlan
{
    /// <summary>In place of an address of <see cref="ContainerSpec.ExtraHosts"/>: the host.</summary>
    public const string HostGateway = "host-gateway";

    private const int EntropyBytes = 64;

    // include/uapi/asm-generic/resource.h
    private static readonly string[] RlimitNames =
    [
        "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks", "sigpending", "msgqueue", "nice",
        "rtprio", "rttime",
    ];

    /// <summary>Fresh entropy, the present time, and the names of the container.</summary>
    public static GuestIdentity Identity(Container container, IPAddress? host, TimeProvider time) => new()
    {
        Entropy = RandomNumberGenerator.GetBytes(EntropyBytes),
        WallClockNanoseconds = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100,
        Hostname = container.Spec.Hostname ?? container.Id[..12],
        Domainname = container.Spec.Domainname ?? "",
        MachineId = container.Id[..32],
        Network = Network(container, host),
    };

    /// <summary>Its network cards and the names it knows.</summary>
    /// <param name="container">The container.</param>
    /// <param name="host">What <c>host-gateway</c> stands for; null: it is of no network that leads there.</param>
    public static GuestNetwork Network(Container container, IPAddress? host)
    {
        NetworkEndpoint? wayOut = NetworkEndpoint.WayOut(container.Endpoints);
        return new GuestNetwork
        {
            Interfaces = [.. container.Endpoints.Select(e => Interface(e, Routes(e, e == wayOut, container.Endpoints)))],
            HostsLines = [.. container.Spec.ExtraHosts.Select(h => HostsLine(h, host)), .. container.Endpoints.SelectMany(e => e.HostsLines)],
            ResolvConf = ResolvConf(container.Spec, container.Endpoints),
        };
    }

    /// <summary>Everything that the guest learns when it wakes.</summary>
    public static GuestConfiguration Configuration(Container container, string imageFileSystem, IPAddress? host, TimeProvider time)
    {
        ContainerSpec spec = container.Spec;
        return new GuestConfiguration
        {
            Identity = Identity(container, host, time),
            ImageFileSystem = imageFileSystem,
            ReadOnlyRoot = spec.ReadOnlyRootfs,
            Tmpfs = [.. spec.Tmpfs],
            Volumes = Volumes(container),
            ShmSizeBytes = spec.ShmSizeBytes == 0 ? 64L << 20 : spec.ShmSizeBytes,
            MemoryLimitBytes = spec.MemoryBytes,
            NanoCpus = spec.NanoCpus,
            PidsLimit = Math.Max(spec.PidsLimit, 0),
            Sysctls = [.. spec.Sysctls],
            Privileged = spec.Privileged,
            IdentityFolder = IdentityFolder(spec),
        };
    }

    /// <summary>What the container's processes may use.</summary>
    public static GuestLimits Limits(ContainerSpec spec) => new(spec.MemoryBytes, spec.NanoCpus, Math.Max(spec.PidsLimit, 0));

    /// <summary>What a guest is told that mounts a stopped container's disks for their files alone: nothing that hides files.</summary>
    public static GuestConfiguration FilesOnly(Container container, string imageFileSystem, TimeProvider time) => new()
    {
        Identity = Identity(container with { Spec = container.Spec with { ExtraHosts = [] } }, host: null, time),
        ImageFileSystem = imageFileSystem,
        ReadOnlyRoot = container.Spec.ReadOnlyRootfs,
        Volumes = Volumes(container),
    };

    /// <summary>Ids of the container's volumes in the order of their disks, each once.</summary>
    public static IReadOnlyList<string> VolumeDisks(Container container) => [.. container.Volumes.Select(static volume => volume.VolumeId).Distinct()];

    /// <summary>A process of the container: its main one or an exec.</summary>
    public static GuestProcess Process(Container container, ProcessConfiguration process, (ushort Rows, ushort Columns)? size, bool discardOutput = false)
    {
        ContainerSpec spec = container.Spec;
        return new GuestProcess
        {
            Arguments = process.Arguments,
            Environment = process.Environment,
            WorkingDirectory = process.WorkingDirectory,
            User = process.User,
            Groups = spec.GroupAdd,
            Capabilities = LinuxCapabilities.Resolve(spec.CapAdd, spec.CapDrop, process.Privileged || spec.Privileged),
            NoNewPrivileges = spec.NoNewPrivileges,
            Rlimits = [.. spec.Ulimits.Select(Rlimit)],
            OomScoreAdjustment = spec.OomScoreAdjustment,
            Tty = process.Tty,
            Rows = size?.Rows ?? 0,
            Columns = size?.Columns ?? 0,
            OpenStdin = process.OpenStdin,
            DiscardOutput = discardOutput,
        };
    }

    private static IReadOnlyList<GuestVolume> Volumes(Container container)
    {
        string[] disks = [.. VolumeDisks(container)];
        return [.. container.Volumes.Select(v => new GuestVolume(Array.IndexOf(disks, v.VolumeId), v.Target, v.ReadOnly, CopyUp: !v.NoCopy))];
    }

    private static (int Resource, ulong Soft, ulong Hard) Rlimit(Ulimit limit)
    {
        int resource = Array.IndexOf(RlimitNames, limit.Name);
        return resource >= 0
            ? (resource, unchecked((ulong)limit.Soft), unchecked((ulong)limit.Hard))
            : throw new CandelaException(ErrorCode.InvalidArgument, $"invalid ulimit type: {limit.Name}; one of {string.Join(", ", RlimitNames)}");
    }

    /// <summary>Where a container wants the files of its identity; empty: nowhere.</summary>
    public static string IdentityFolder(ContainerSpec spec) => spec.Labels.GetValueOrDefault(RunIdentity.FilesLabel) switch
    {
        null => "",
        ['/', _, ..] folder when !folder.Split('/').Contains("..") => folder,
        var other => throw new CandelaException(ErrorCode.InvalidArgument, $"the label {RunIdentity.FilesLabel} must be an absolute path of a folder in the container, such as /run/identity, not '{other}'"),
    };

    private static string HostsLine(string extraHost, IPAddress? host)
    {
        // name:address or name=address; an IPv6 address has colons of its own.
        int separator = extraHost.AsSpan().IndexOfAny(':', '=');
        if (separator <= 0)
            throw new CandelaException(ErrorCode.InvalidArgument, $"bad format for add-host: \"{extraHost}\"; use name:address");
        string address = extraHost[(separator + 1)..].Trim('[', ']');
        if (address == HostGateway)
            address = host?.ToString() ?? throw new CandelaException(ErrorCode.InvalidArgument, "host-gateway leads nowhere: connect the container to a network that is not internal");
        return $"{address}\t{extraHost[..separator]}";
    }

    private static GuestInterface Interface(NetworkEndpoint endpoint, IReadOnlyList<GuestRoute> routes) => new()
    {
        Number = endpoint.Card,
        Mac = Convert.FromHexString(endpoint.Mac.Replace(":", "", StringComparison.Ordinal)),
        Mtu = endpoint.Mtu,
        Ipv4 = Address(endpoint.Ipv4Address),
        Ipv4PrefixLength = endpoint.Ipv4PrefixLength,
        Ipv6 = Address(endpoint.Ipv6Address),
        Ipv6PrefixLength = endpoint.Ipv6PrefixLength,
        Routes = routes,
    };

    // The default routes are the way out's. What is routed to several of the container's networks goes by the first, what it is connected to by none.
    private static IReadOnlyList<GuestRoute> Routes(NetworkEndpoint endpoint, bool isWayOut, IReadOnlyList<NetworkEndpoint> all)
    {
        IEnumerable<NetworkEndpoint> earlier = all.TakeWhile(e => e != endpoint);
        HashSet<IPNetwork> elsewhere = [.. earlier.SelectMany(static e => e.Routes).Select(IPNetwork.Parse)];
        IEnumerable<IPNetwork> routed = endpoint.Routes.Select(IPNetwork.Parse)
            .Where(n => !elsewhere.Contains(n) && !all.Any(e => Contains(n, e.Ipv4Address) || Contains(n, e.Ipv6Address)));
        return
        [
            .. (isWayOut ? routed.Append(new IPNetwork(IPAddress.Any, 0)).Append(new IPNetwork(IPAddress.IPv6Any, 0)) : routed)
                .Select(n => (Network: n, Gateway: Address(n.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? endpoint.Ipv4Gateway : endpoint.Ipv6Gateway)))
                .Where(static r => r.Gateway.Length > 0)
                .Select(static r => new GuestRoute(r.Network.BaseAddress.GetAddressBytes(), r.Network.PrefixLength, r.Gateway)),
        ];
    }

    private static bool Contains(IPNetwork network, string? address) => address is not null && network.Contains(IPAddress.Parse(address));

    private static byte[] Address(string? text) => text is null ? [] : IPAddress.Parse(text).GetAddressBytes();

    private static string ResolvConf(ContainerSpec spec, IReadOnlyList<NetworkEndpoint> endpoints)
    {
        var text = new StringBuilder();
        if (spec.DnsSearch.Count > 0)
            text.Append("search ").AppendJoin(' ', spec.DnsSearch).Append('\n');
        // Each network's gateway knows the names of all networks of who asks it: one is enough, and to ask several would be to take the first answer.
        IEnumerable<string> servers = spec.DnsServers.Count > 0 ? spec.DnsServers : endpoints.Select(e => e.Ipv4Gateway ?? e.Ipv6Gateway).OfType<string>().Take(1);
        foreach (string server in servers)
            text.Append("nameserver ").Append(server).Append('\n');
        if (spec.DnsOptions.Count > 0)
            text.Append("options ").AppendJoin(' ', spec.DnsOptions).Append('\n');
        return text.ToString();
    }
}
