using System.Text.Json.Serialization;
using Candela.Docker.Containers;

namespace Candela.Docker.Images;

/// <summary>One image of <c>GET /images/json</c>.</summary>
internal sealed record ImageSummary
{
    public required string Id { get; init; }
    public string ParentId { get; init; } = "";
    public required IReadOnlyList<string> RepoTags { get; init; }
    public required IReadOnlyList<string> RepoDigests { get; init; }
    public long Created { get; init; }
    public long Size { get; init; }
    public long SharedSize { get; init; } = -1;
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
    public int Containers { get; init; } = -1;
}

/// <summary>Answer of <c>GET /images/{name}/json</c>.</summary>
internal sealed record ImageInspect
{
    public required string Id { get; init; }
    public required IReadOnlyList<string> RepoTags { get; init; }
    public required IReadOnlyList<string> RepoDigests { get; init; }
    public string Parent { get; init; } = "";
    public string Comment { get; init; } = "";
    public required string Created { get; init; }
    public string DockerVersion { get; init; } = "";
    public string Author { get; init; } = "";
    public required ConfigView Config { get; init; }
    public required string Architecture { get; init; }
    public required string Os { get; init; }
    public long Size { get; init; }
    public GraphDriverView GraphDriver { get; init; } = new();
    public required RootFsView RootFS { get; init; }
    public required ImageMetadata Metadata { get; init; }
}

/// <summary>Layers of an image.</summary>
internal sealed record RootFsView(string Type, IReadOnlyList<string> Layers);

/// <summary>What the engine knows beside the image.</summary>
internal sealed record ImageMetadata(string LastTagTime);

/// <summary>A step of an image's history.</summary>
internal sealed record ImageHistoryEntry(string Id, long Created, string CreatedBy, IReadOnlyList<string>? Tags, long Size, string Comment);

/// <summary>What a removal did.</summary>
internal sealed record ImageDeleted(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Untagged,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Deleted);

/// <summary>Answer of prune.</summary>
internal sealed record ImagesPruned(IReadOnlyList<ImageDeleted>? ImagesDeleted, long SpaceReclaimed);

/// <summary>Answer of the build cache's prune: there is none, so it is empty already.</summary>
internal sealed record BuildCachePruned(IReadOnlyList<string>? CachesDeleted, long SpaceReclaimed);

/// <summary>A line of progress (Docker's jsonmessage).</summary>
internal sealed record ProgressMessage
{
    [JsonPropertyName("stream"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Stream { get; init; }

    [JsonPropertyName("status"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Status { get; init; }

    [JsonPropertyName("progressDetail"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ProgressDetail? Progress { get; init; }

    [JsonPropertyName("id"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Id { get; init; }

    [JsonPropertyName("aux"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ProgressAux? Aux { get; init; }

    [JsonPropertyName("errorDetail"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ProgressError? ErrorDetail { get; init; }

    [JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }
}

/// <summary>How far.</summary>
internal sealed record ProgressDetail(
    [property: JsonPropertyName("current"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long Current,
    [property: JsonPropertyName("total"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long Total);

/// <summary>What came of it: a pushed manifest (tag, digest, size), or a built image (its id).</summary>
internal sealed record ProgressAux
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Tag { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Digest { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Size { get; init; }

    [JsonPropertyName("ID"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Id { get; init; }
}

/// <summary>Answer of <c>GET /distribution/{name}/json</c>.</summary>
internal sealed record DistributionInspect(DistributionDescriptor Descriptor, IReadOnlyList<DistributionPlatform> Platforms);

/// <summary>A manifest in a registry.</summary>
internal sealed record DistributionDescriptor(
    [property: JsonPropertyName("mediaType")] string MediaType,
    [property: JsonPropertyName("digest")] string Digest,
    [property: JsonPropertyName("size")] long Size);

/// <summary>What it runs on.</summary>
internal sealed record DistributionPlatform(
    [property: JsonPropertyName("architecture")] string Architecture,
    [property: JsonPropertyName("os")] string Os,
    [property: JsonPropertyName("variant"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Variant);

/// <summary>Why it failed.</summary>
internal sealed record ProgressError([property: JsonPropertyName("message")] string Message)
{
    /// <summary>Exit code of a build's command; null: of no account.</summary>
    [JsonPropertyName("code"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Code { get; init; }
}
