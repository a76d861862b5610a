using System.Text.Json;
using System.Text.Json.Serialization;

namespace Candela.Docker.Containers;

/// <summary>Answer of <c>GET /containers/{id}/json</c>.</summary>
internal sealed record ContainerInspect
{
    public required string Id { get; init; }
    public required string Created { get; init; }
    public required string Path { get; init; }
    public required IReadOnlyList<string> Args { get; init; }
    public required StateView State { get; init; }
    public required string Image { get; init; }
    public string ResolvConfPath { get; init; } = "";
    public string HostnamePath { get; init; } = "";
    public string HostsPath { get; init; } = "";
    public string LogPath { get; init; } = "";
    public required string Name { get; init; }
    public int RestartCount { get; init; }
    public string Driver { get; init; } = "candela";
    public string Platform { get; init; } = "linux";
    public string MountLabel { get; init; } = "";
    public string ProcessLabel { get; init; } = "";
    public string AppArmorProfile { get; init; } = "";
    public IReadOnlyList<string>? ExecIDs { get; init; }
    public required HostConfigView HostConfig { get; init; }
    public GraphDriverView GraphDriver { get; init; } = new();
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? SizeRw { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? SizeRootFs { get; init; }
    public IReadOnlyList<MountView> Mounts { get; init; } = [];
    public required ConfigView Config { get; init; }
    public NetworkSettingsView NetworkSettings { get; init; } = new();
}

/// <summary>State of a container.</summary>
internal sealed record StateView
{
    public required string Status { get; init; }
    public bool Running { get; init; }
    public bool Paused { get; init; }
    public bool Restarting { get; init; }
    public bool OOMKilled { get; init; }
    public bool Dead { get; init; }
    public int Pid { get; init; }
    public int ExitCode { get; init; }
    public string Error { get; init; } = "";
    public required string StartedAt { get; init; }
    public required string FinishedAt { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public HealthView? Health { get; init; }
}

/// <summary>Where the file system comes from.</summary>
internal sealed record GraphDriverView
{
    public Dictionary<string, string>? Data { get; init; }
    public string Name { get; init; } = "candela";
}

/// <summary>A mount.</summary>
internal sealed record MountView(string Type, string Source, string Destination, string Mode, bool RW, string Propagation)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Driver { get; init; }
}

/// <summary>A mount as it was asked for by <c>--mount</c>.</summary>
internal sealed record MountConfigView(
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Source,
    string Target,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? ReadOnly);

/// <summary>Configuration of a container or an image.</summary>
internal sealed record ConfigView
{
    public string Hostname { get; init; } = "";
    public string Domainname { get; init; } = "";
    public string User { get; init; } = "";
    public bool AttachStdin { get; init; }
    public bool AttachStdout { get; init; }
    public bool AttachStderr { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Dictionary<string, JsonElement>? ExposedPorts { get; init; }
    public bool Tty { get; init; }
    public bool OpenStdin { get; init; }
    public bool StdinOnce { get; init; }
    public IReadOnlyList<string>? Env { get; init; }
    public IReadOnlyList<string>? Cmd { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public HealthcheckView? Healthcheck { get; init; }
    public string Image { get; init; } = "";
    public Dictionary<string, JsonElement>? Volumes { get; init; }
    public string WorkingDir { get; init; } = "";
    public IReadOnlyList<string>? Entrypoint { get; init; }
    public IReadOnlyList<string>? OnBuild { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? StopSignal { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? StopTimeout { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Shell { get; init; }
}

/// <summary>Host part of a container, complete as clients expect it; what Candela does not have is empty.</summary>
internal sealed record HostConfigView
{
    public IReadOnlyList<string>? Binds { get; init; }
    public string ContainerIDFile { get; init; } = "";
    public LogConfigView LogConfig { get; init; } = new();
    public string NetworkMode { get; init; } = "none";
    public Dictionary<string, IReadOnlyList<PortBindingView>?> PortBindings { get; init; } = [];
    public required RestartPolicyView RestartPolicy { get; init; }
    public bool AutoRemove { get; init; }
    public string VolumeDriver { get; init; } = "";
    public IReadOnlyList<string>? VolumesFrom { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<MountConfigView>? Mounts { get; init; }
    public IReadOnlyList<int> ConsoleSize { get; init; } = [0, 0];
    public IReadOnlyList<string>? CapAdd { get; init; }
    public IReadOnlyList<string>? CapDrop { get; init; }
    public string CgroupnsMode { get; init; } = "private";
    public IReadOnlyList<string> Dns { get; init; } = [];
    public IReadOnlyList<string> DnsOptions { get; init; } = [];
    public IReadOnlyList<string> DnsSearch { get; init; } = [];
    public IReadOnlyList<string>? ExtraHosts { get; init; }
    public IReadOnlyList<string>? GroupAdd { get; init; }
    public string IpcMode { get; init; } = "private";
    public string Cgroup { get; init; } = "";
    public IReadOnlyList<string>? Links { get; init; }
    public int OomScoreAdj { get; init; }
    public string PidMode { get; init; } = "";
    public bool Privileged { get; init; }
    public bool PublishAllPorts { get; init; }
    public bool ReadonlyRootfs { get; init; }
    public IReadOnlyList<string>? SecurityOpt { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Tmpfs { get; init; }
    public string UTSMode { get; init; } = "";
    public string UsernsMode { get; init; } = "";
    public long ShmSize { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Sysctls { get; init; }
    public string Runtime { get; init; } = "candela";
    public string Isolation { get; init; } = "";
    public long CpuShares { get; init; }
    public long Memory { get; init; }
    public long NanoCpus { get; init; }
    public string CgroupParent { get; init; } = "";
    public int BlkioWeight { get; init; }
    public IReadOnlyList<string> BlkioWeightDevice { get; init; } = [];
    public IReadOnlyList<string> BlkioDeviceReadBps { get; init; } = [];
    public IReadOnlyList<string> BlkioDeviceWriteBps { get; init; } = [];
    public IReadOnlyList<string> BlkioDeviceReadIOps { get; init; } = [];
    public IReadOnlyList<string> BlkioDeviceWriteIOps { get; init; } = [];
    public long CpuPeriod { get; init; }
    public long CpuQuota { get; init; }
    public long CpuRealtimePeriod { get; init; }
    public long CpuRealtimeRuntime { get; init; }
    public string CpusetCpus { get; init; } = "";
    public string CpusetMems { get; init; } = "";
    public IReadOnlyList<string> Devices { get; init; } = [];
    public IReadOnlyList<string>? DeviceCgroupRules { get; init; }
    public IReadOnlyList<string>? DeviceRequests { get; init; }
    public long MemoryReservation { get; init; }
    public long MemorySwap { get; init; }
    public long? MemorySwappiness { get; init; }
    public bool OomKillDisable { get; init; }
    public long? PidsLimit { get; init; }
    public IReadOnlyList<UlimitView> Ulimits { get; init; } = [];
    public long CpuCount { get; init; }
    public long CpuPercent { get; init; }
    public long IOMaximumIOps { get; init; }
    public long IOMaximumBandwidth { get; init; }
    public IReadOnlyList<string> MaskedPaths { get; init; } = [];
    public IReadOnlyList<string> ReadonlyPaths { get; init; } = [];
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? Init { get; init; }
}

/// <summary>Log driver.</summary>
internal sealed record LogConfigView
{
    public string Type { get; init; } = "json-file";
    public Dictionary<string, string> Config { get; init; } = [];
}

/// <summary>Restart policy.</summary>
internal sealed record RestartPolicyView(string Name, int MaximumRetryCount);

/// <summary>Resource limit.</summary>
internal sealed record UlimitView(string Name, long Hard, long Soft);

/// <summary>Networks of a container.</summary>
internal sealed record NetworkSettingsView
{
    public string Bridge { get; init; } = "";
    public string SandboxID { get; init; } = "";
    public string SandboxKey { get; init; } = "";
    public Dictionary<string, IReadOnlyList<PortBindingView>?> Ports { get; init; } = [];
    public bool HairpinMode { get; init; }
    public string LinkLocalIPv6Address { get; init; } = "";
    public int LinkLocalIPv6PrefixLen { get; init; }
    public IReadOnlyList<string>? SecondaryIPAddresses { get; init; }
    public IReadOnlyList<string>? SecondaryIPv6Addresses { get; init; }
    public string EndpointID { get; init; } = "";
    public string Gateway { get; init; } = "";
    public string GlobalIPv6Address { get; init; } = "";
    public int GlobalIPv6PrefixLen { get; init; }
    public string IPAddress { get; init; } = "";
    public int IPPrefixLen { get; init; }
    public string IPv6Gateway { get; init; } = "";
    public string MacAddress { get; init; } = "";
    public Dictionary<string, EndpointView> Networks { get; init; } = new() { ["none"] = new EndpointView() };
}

/// <summary>A published port.</summary>
internal sealed record PortBindingView(string HostIp, string HostPort);

/// <summary>A port in a list.</summary>
internal sealed record PortSummary
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? IP { get; init; }
    public required int PrivatePort { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? PublicPort { get; init; }
    public required string Type { get; init; }
}

/// <summary>A container's place in a network.</summary>
internal sealed record EndpointView
{
    public JsonElement? IPAMConfig { get; init; }
    public IReadOnlyList<string>? Links { get; init; }
    public IReadOnlyList<string>? Aliases { get; init; }
    public string MacAddress { get; init; } = "";
    public Dictionary<string, string>? DriverOpts { get; init; }
    public int GwPriority { get; init; }
    public string NetworkID { get; init; } = Networks.NetworkEndpoints.NoneId;
    public string EndpointID { get; init; } = "";
    public string Gateway { get; init; } = "";
    public string IPAddress { get; init; } = "";
    public int IPPrefixLen { get; init; }
    public string IPv6Gateway { get; init; } = "";
    public string GlobalIPv6Address { get; init; } = "";
    public int GlobalIPv6PrefixLen { get; init; }
    public IReadOnlyList<string>? DNSNames { get; init; }
}

/// <summary>One container of <c>GET /containers/json</c>.</summary>
internal sealed record ContainerSummary
{
    public required string Id { get; init; }
    public required IReadOnlyList<string> Names { get; init; }
    public required string Image { get; init; }
    public required string ImageID { get; init; }
    public required string Command { get; init; }
    public long Created { get; init; }
    public IReadOnlyList<PortSummary> Ports { get; init; } = [];
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? SizeRw { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? SizeRootFs { get; init; }
    public required IReadOnlyDictionary<string, string> Labels { get; init; }
    public required string State { get; init; }
    public required string Status { get; init; }
    public SummaryHostConfig HostConfig { get; init; } = new("none");
    public SummaryNetworks NetworkSettings { get; init; } = new();
    public IReadOnlyList<MountView> Mounts { get; init; } = [];
}

/// <summary>Network mode in a list.</summary>
internal sealed record SummaryHostConfig(string NetworkMode);

/// <summary>Networks in a list.</summary>
internal sealed record SummaryNetworks
{
    public Dictionary<string, EndpointView> Networks { get; init; } = new() { ["none"] = new EndpointView() };
}

/// <summary>Answer of wait.</summary>
internal sealed record WaitResponse(int StatusCode);

/// <summary>Answer of top.</summary>
internal sealed record TopResponse(IReadOnlyList<string> Titles, IReadOnlyList<IReadOnlyList<string>> Processes);

/// <summary>Answer of prune.</summary>
internal sealed record ContainersPruned(IReadOnlyList<string> ContainersDeleted, long SpaceReclaimed);
