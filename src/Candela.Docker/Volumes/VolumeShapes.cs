using System.Text.Json.Serialization;

namespace Candela.Docker.Volumes;

/// <summary>A volume.</summary>
internal sealed record VolumeView
{
    public required string CreatedAt { get; init; }
    public string Driver { get; init; } = "local";
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Empty: the host never mounts a volume.</summary>
    public string Mountpoint { get; init; } = "";
    public required string Name { get; init; }
    public IReadOnlyDictionary<string, string>? Options { get; init; }
    public string Scope { get; init; } = "local";
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public VolumeUsageView? UsageData { get; init; }
}

/// <summary>What a volume takes, and how many containers mount it.</summary>
internal sealed record VolumeUsageView(long Size, long RefCount);

/// <summary>Answer of <c>GET /volumes</c>.</summary>
internal sealed record VolumeList(IReadOnlyList<VolumeView> Volumes, IReadOnlyList<string>? Warnings);

/// <summary>Answer of prune.</summary>
internal sealed record VolumesPruned(IReadOnlyList<string>? VolumesDeleted, long SpaceReclaimed);

/// <summary>Body of <c>POST /volumes/create</c>.</summary>
internal sealed class VolumeCreateRequest
{
    public string? Name { get; set; }

    public string? Driver { get; set; }

    public Dictionary<string, string?>? DriverOpts { get; set; }

    public Dictionary<string, string?>? Labels { get; set; }
}
