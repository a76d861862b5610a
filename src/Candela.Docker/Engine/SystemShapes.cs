using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Docker.Containers;
using Candela.Docker.Images;

namespace Candela.Docker.Engine;

/// <summary>Answer of <c>GET /version</c>.</summary>
internal sealed record VersionResponse
{
    public required VersionPlatform Platform { get; init; }
    public required IReadOnlyList<VersionComponent> Components { get; init; }
    public required string Version { get; init; }
    public required string ApiVersion { get; init; }
    public required string MinAPIVersion { get; init; }
    public string GitCommit { get; init; } = "";
    public string GoVersion { get; init; } = "";
    public string Os { get; init; } = "linux";
    public string Arch { get; init; } = "amd64";
    public required string KernelVersion { get; init; }
    public string BuildTime { get; init; } = "";
}

/// <summary>Name of the product.</summary>
internal sealed record VersionPlatform(string Name);

/// <summary>A part of the product.</summary>
internal sealed record VersionComponent(string Name, string Version, IReadOnlyDictionary<string, string> Details);

/// <summary>Answer of <c>GET /info</c>.</summary>
internal sealed record InfoResponse
{
    public required string ID { get; init; }
    public int Containers { get; init; }
    public int ContainersRunning { get; init; }
    public int ContainersPaused { get; init; }
    public int ContainersStopped { get; init; }
    public int Images { get; init; }
    public string Driver { get; init; } = "candela";
    public IReadOnlyList<IReadOnlyList<string>> DriverStatus { get; init; } = [];
    public InfoPlugins Plugins { get; init; } = new();
    public bool MemoryLimit { get; init; } = true;
    public bool SwapLimit { get; init; }
    public bool CpuCfsPeriod { get; init; } = true;
    public bool CpuCfsQuota { get; init; } = true;
    public bool CPUShares { get; init; }
    public bool CPUSet { get; init; }
    public bool PidsLimit { get; init; } = true;
    public bool IPv4Forwarding { get; init; } = true;
    public bool Debug { get; init; }
    public int NFd { get; init; }
    public bool OomKillDisable { get; init; }
    public int NGoroutines { get; init; }
    public required string SystemTime { get; init; }
    public string LoggingDriver { get; init; } = "json-file";
    public string CgroupDriver { get; init; } = "none";
    public string CgroupVersion { get; init; } = "2";
    public int NEventsListener { get; init; }
    public required string KernelVersion { get; init; }
    public required string OperatingSystem { get; init; }
    public string OSVersion { get; init; } = "";
    public string OSType { get; init; } = "linux";
    public string Architecture { get; init; } = "x86_64";
    public string IndexServerAddress { get; init; } = "https://index.docker.io/v1/";
    public InfoRegistryConfig RegistryConfig { get; init; } = new();
    public int NCPU { get; init; }
    public long MemTotal { get; init; }
    public JsonElement? GenericResources { get; init; }
    public required string DockerRootDir { get; init; }
    public string HttpProxy { get; init; } = "";
    public string HttpsProxy { get; init; } = "";
    public string NoProxy { get; init; } = "";
    public required string Name { get; init; }
    public IReadOnlyList<string> Labels { get; init; } = [];
    public bool ExperimentalBuild { get; init; }
    public required string ServerVersion { get; init; }
    public Dictionary<string, InfoRuntime> Runtimes { get; init; } = new() { ["candela"] = new InfoRuntime("candela-guest") };
    public string DefaultRuntime { get; init; } = "candela";
    public InfoSwarm Swarm { get; init; } = new();
    public bool LiveRestoreEnabled { get; init; } = true;
    public string Isolation { get; init; } = "";
    public string InitBinary { get; init; } = "candela-guest";
    public InfoCommit ContainerdCommit { get; init; } = new();
    public InfoCommit RuncCommit { get; init; } = new();
    public InfoCommit InitCommit { get; init; } = new();
    public IReadOnlyList<string> SecurityOptions { get; init; } = ["name=micro-vm"];
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>Plug-ins.</summary>
internal sealed record InfoPlugins
{
    public IReadOnlyList<string> Volume { get; init; } = [];
    public IReadOnlyList<string> Network { get; init; } = ["none"];
    public IReadOnlyList<string>? Authorization { get; init; }
    public IReadOnlyList<string> Log { get; init; } = ["json-file"];
}

/// <summary>Registries.</summary>
internal sealed record InfoRegistryConfig
{
    public IReadOnlyList<string> InsecureRegistryCIDRs { get; init; } = [];
    public Dictionary<string, JsonElement> IndexConfigs { get; init; } = [];
    public IReadOnlyList<string>? Mirrors { get; init; }
}

/// <summary>A runtime.</summary>
internal sealed record InfoRuntime([property: JsonPropertyName("path")] string Path);

/// <summary>Swarm membership: none.</summary>
internal sealed record InfoSwarm
{
    public string NodeID { get; init; } = "";
    public string NodeAddr { get; init; } = "";
    public string LocalNodeState { get; init; } = "inactive";
    public bool ControlAvailable { get; init; }
    public string Error { get; init; } = "";
    public JsonElement? RemoteManagers { get; init; }
}

/// <summary>Version of a component.</summary>
internal sealed record InfoCommit
{
    public string ID { get; init; } = "";
}

/// <summary>An event.</summary>
internal sealed record EventMessage
{
    [JsonPropertyName("status"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Status { get; init; }

    [JsonPropertyName("id"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Id { get; init; }

    [JsonPropertyName("from"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? From { get; init; }

    public required string Type { get; init; }
    public required string Action { get; init; }
    public required EventActor Actor { get; init; }

    [JsonPropertyName("scope")]
    public string Scope { get; init; } = "local";

    [JsonPropertyName("time")]
    public long Time { get; init; }

    [JsonPropertyName("timeNano")]
    public long TimeNano { get; init; }
}

/// <summary>What an event happened to.</summary>
internal sealed record EventActor(string ID, IReadOnlyDictionary<string, string> Attributes);

/// <summary>Answer of <c>GET /system/df</c>.</summary>
internal sealed record DiskUsage
{
    public long LayersSize { get; init; }
    public IReadOnlyList<ImageSummary>? Images { get; init; }
    public IReadOnlyList<ContainerSummary>? Containers { get; init; }
    public IReadOnlyList<Volumes.VolumeView>? Volumes { get; init; }
    public IReadOnlyList<JsonElement>? BuildCache { get; init; }
}

/// <summary>Credentials: the body of auth, and the X-Registry-Auth header.</summary>
internal sealed class RegistryAuth
{
    [JsonPropertyName("username")]
    public string? Username { get; set; }

    [JsonPropertyName("password")]
    public string? Password { get; set; }

    [JsonPropertyName("auth")]
    public string? Auth { get; set; }

    [JsonPropertyName("serveraddress")]
    public string? ServerAddress { get; set; }

    [JsonPropertyName("identitytoken")]
    public string? IdentityToken { get; set; }

    [JsonPropertyName("registrytoken")]
    public string? RegistryToken { get; set; }
}

/// <summary>Answer of auth.</summary>
internal sealed record AuthResponse(string Status, string IdentityToken);
