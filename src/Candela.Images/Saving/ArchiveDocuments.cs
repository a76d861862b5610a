using System.Text.Json.Serialization;

namespace Candela.Images.Saving;

/// <summary>A blob of the archive (OCI image-spec, descriptor.md).</summary>
internal sealed record ArchiveDescriptor(
    [property: JsonPropertyName("mediaType")] string MediaType,
    [property: JsonPropertyName("digest")] string Digest,
    [property: JsonPropertyName("size")] long Size,
    [property: JsonPropertyName("annotations")] SortedDictionary<string, string>? Annotations = null,
    [property: JsonPropertyName("platform")] ArchivePlatform? Platform = null);

/// <summary>What an image runs on.</summary>
internal sealed record ArchivePlatform(
    [property: JsonPropertyName("architecture")] string Architecture,
    [property: JsonPropertyName("os")] string Os);

/// <summary>An image's manifest (OCI image-spec, manifest.md; distribution's schema 2 is alike).</summary>
internal sealed record ArchiveManifest(
    [property: JsonPropertyName("schemaVersion")] int SchemaVersion,
    [property: JsonPropertyName("mediaType")] string MediaType,
    [property: JsonPropertyName("config")] ArchiveDescriptor Config,
    [property: JsonPropertyName("layers")] IReadOnlyList<ArchiveDescriptor> Layers);

/// <summary><c>index.json</c> (OCI image-spec, image-layout.md).</summary>
internal sealed record ArchiveIndex(
    [property: JsonPropertyName("schemaVersion")] int SchemaVersion,
    [property: JsonPropertyName("mediaType")] string MediaType,
    [property: JsonPropertyName("manifests")] IReadOnlyList<ArchiveDescriptor> Manifests);

/// <summary>An element of <c>manifest.json</c> (docker-archive).</summary>
internal sealed record ArchiveEntry(
    string Config,
    IReadOnlyList<string>? RepoTags,
    IReadOnlyList<string> Layers,
    SortedDictionary<string, ArchiveDescriptor> LayerSources);

/// <summary><c>oci-layout</c>.</summary>
internal sealed record ArchiveLayout([property: JsonPropertyName("imageLayoutVersion")] string ImageLayoutVersion);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(ArchiveEntry[]))]
internal sealed partial class DockerArchiveJson : JsonSerializerContext;

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ArchiveManifest))]
[JsonSerializable(typeof(ArchiveIndex))]
[JsonSerializable(typeof(ArchiveLayout))]
[JsonSerializable(typeof(SortedDictionary<string, SortedDictionary<string, string>>))]
internal sealed partial class LayoutJson : JsonSerializerContext;
