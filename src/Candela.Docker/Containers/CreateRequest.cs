using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Docker.Json;

namespace Candela.Docker.Containers;

/// <summary>Body of <c>POST /containers/create</c>: what Candela acts upon. Everything else lands in <see cref="Rest"/> to be judged.</summary>
internal sealed class CreateRequest
{
    public string? Hostname { get; set; }

    public string? Domainname { get; set; }

    public string? User { get; set; }

    public bool? Tty { get; set; }

    public bool? OpenStdin { get; set; }

    public bool? StdinOnce { get; set; }

    public List<string?>? Env { get; set; }

    [JsonConverter(typeof(StringsConverter))]
    public List<string>? Cmd { get; set; }

    [JsonConverter(typeof(StringsConverter))]
    public List<string>? Entrypoint { get; set; }

    public string? Image { get; set; }

    public Dictionary<string, string?>? Labels { get; set; }

    public string? WorkingDir { get; set; }

    public bool? NetworkDisabled { get; set; }

    public string? MacAddress { get; set; }

    public Dictionary<string, JsonElement>? ExposedPorts { get; set; }

    public Dictionary<string, JsonElement>? Volumes { get; set; }

    public string? StopSignal { get; set; }

    public int? StopTimeout { get; set; }

    public HealthcheckRequest? Healthcheck { get; set; }

    public HostConfigRequest? HostConfig { get; set; }

    public NetworkingConfigRequest? NetworkingConfig { get; set; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

/// <summary>Health check as sent; times in nanoseconds.</summary>
internal sealed class HealthcheckRequest
{
    [JsonConverter(typeof(StringsConverter))]
    public List<string>? Test { get; set; }

    public long? Interval { get; set; }

    public long? Timeout { get; set; }

    public long? StartPeriod { get; set; }

    public long? StartInterval { get; set; }

    public int? Retries { get; set; }
}

/// <summary>Networks as sent.</summary>
internal sealed class NetworkingConfigRequest
{
    public Dictionary<string, EndpointRequest?>? EndpointsConfig { get; set; }
}

/// <summary>A connection to a network as sent.</summary>
internal sealed class EndpointRequest
{
    public List<string>? Aliases { get; set; }

    public EndpointIpamRequest? IPAMConfig { get; set; }

    public List<string>? Links { get; set; }

    public string? MacAddress { get; set; }

    public Dictionary<string, string?>? DriverOpts { get; set; }
}

/// <summary>Addresses of a connection as sent.</summary>
internal sealed class EndpointIpamRequest
{
    public string? IPv4Address { get; set; }

    public string? IPv6Address { get; set; }

    public List<string>? LinkLocalIPs { get; set; }
}

/// <summary>Host part of a creation.</summary>
internal sealed class HostConfigRequest : ResourcesRequest
{
    public List<UlimitRequest>? Ulimits { get; set; }

    public string? NetworkMode { get; set; }

    public Dictionary<string, List<PortBindingRequest>?>? PortBindings { get; set; }

    public bool? PublishAllPorts { get; set; }

    public List<string>? Links { get; set; }

    public bool? AutoRemove { get; set; }

    public List<int>? ConsoleSize { get; set; }

    [JsonConverter(typeof(StringsConverter))]
    public List<string>? CapAdd { get; set; }

    [JsonConverter(typeof(StringsConverter))]
    public List<string>? CapDrop { get; set; }

    public string? CgroupnsMode { get; set; }

    public List<string>? Dns { get; set; }

    public List<string>? DnsOptions { get; set; }

    public List<string>? DnsSearch { get; set; }

    public List<string>? ExtraHosts { get; set; }

    public List<string>? GroupAdd { get; set; }

    public string? IpcMode { get; set; }

    public string? PidMode { get; set; }

    public string? UTSMode { get; set; }

    public string? UsernsMode { get; set; }

    public string? Isolation { get; set; }

    public string? Runtime { get; set; }

    public int? OomScoreAdj { get; set; }

    public bool? Privileged { get; set; }

    public bool? ReadonlyRootfs { get; set; }

    public List<string>? SecurityOpt { get; set; }

    public Dictionary<string, string?>? Tmpfs { get; set; }

    public List<string>? Binds { get; set; }

    public List<string>? VolumesFrom { get; set; }

    public string? VolumeDriver { get; set; }

    public long? ShmSize { get; set; }

    public Dictionary<string, string?>? Sysctls { get; set; }

    public bool? Init { get; set; }

    public LogConfigRequest? LogConfig { get; set; }

    public List<MountRequest>? Mounts { get; set; }
}

/// <summary>A port of the host.</summary>
internal sealed class PortBindingRequest
{
    public string? HostIp { get; set; }

    public string? HostPort { get; set; }
}

/// <summary>A resource limit.</summary>
internal sealed class UlimitRequest
{
    public string? Name { get; set; }

    public long? Soft { get; set; }

    public long? Hard { get; set; }
}

/// <summary>A restart policy.</summary>
internal sealed class RestartPolicyRequest
{
    public string? Name { get; set; }

    public int? MaximumRetryCount { get; set; }
}

/// <summary>A log driver.</summary>
internal sealed class LogConfigRequest
{
    public string? Type { get; set; }

    public Dictionary<string, string?>? Config { get; set; }
}

/// <summary>A mount of <c>--mount</c>.</summary>
internal sealed class MountRequest
{
    public string? Type { get; set; }

    public string? Source { get; set; }

    public string? Target { get; set; }

    public bool? ReadOnly { get; set; }

    public TmpfsOptionsRequest? TmpfsOptions { get; set; }

    public VolumeOptionsRequest? VolumeOptions { get; set; }
}

/// <summary>Options of a volume mount.</summary>
internal sealed class VolumeOptionsRequest
{
    public bool? NoCopy { get; set; }

    public Dictionary<string, string?>? Labels { get; set; }

    public VolumeDriverRequest? DriverConfig { get; set; }

    public string? Subpath { get; set; }
}

/// <summary>Driver of a volume mount.</summary>
internal sealed class VolumeDriverRequest
{
    public string? Name { get; set; }

    public Dictionary<string, string?>? Options { get; set; }
}

/// <summary>Options of a tmpfs mount.</summary>
internal sealed class TmpfsOptionsRequest
{
    public long? SizeBytes { get; set; }

    public uint? Mode { get; set; }
}

/// <summary>Answer of <c>POST /containers/create</c>.</summary>
internal sealed record CreateResponse(string Id, IReadOnlyList<string> Warnings);
