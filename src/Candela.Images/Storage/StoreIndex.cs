using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Candela.Images.Manifests;

namespace Candela.Images.Storage;

/// <summary>What the store holds; immutable, replaced as a whole.</summary>
internal sealed record StoreIndex
{
    public const int CurrentVersion = 1;

    public static readonly StoreIndex Empty = new();

    /// <summary>Format of the file.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Images by id.</summary>
    public ImmutableSortedDictionary<string, StoredImage> Images { get; init; } = ImmutableSortedDictionary.Create<string, StoredImage>(StringComparer.Ordinal);

    /// <summary>Image ids by normalised <c>domain/path:tag</c>.</summary>
    public ImmutableSortedDictionary<string, string> Tags { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Image ids by normalised <c>domain/path@sha256:…</c>.</summary>
    public ImmutableSortedDictionary<string, string> Manifests { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>What layers that are kept uncompressed became when they were pushed, by diff id.</summary>
    public ImmutableSortedDictionary<string, PushedLayer> Pushed { get; init; } = ImmutableSortedDictionary.Create<string, PushedLayer>(StringComparer.Ordinal);

    /// <summary>Names of an image: its tags, then the manifests that it was pulled by.</summary>
    public IEnumerable<string> NamesOf(string imageId) =>
        Tags.Concat(Manifests).Where(name => name.Value == imageId).Select(static name => name.Key);

    /// <summary>The index with this name set.</summary>
    public StoreIndex WithTag(string name, string imageId) => this with
    {
        Tags = Tags.SetItem(name, imageId),
        Images = Images.SetItem(imageId, Images[imageId] with { TaggedAt = DateTimeOffset.UtcNow }),
    };

    /// <summary>The index without this image and its names.</summary>
    public StoreIndex WithoutImage(string imageId)
    {
        string[] names = [.. NamesOf(imageId)];
        ImmutableSortedDictionary<string, StoredImage> images = Images.Remove(imageId);
        HashSet<string> layers = [.. images.Values.SelectMany(static image => image.Layers).Select(static layer => layer.DiffId)];
        return this with
        {
            Images = images,
            Tags = Tags.RemoveRange(names),
            Manifests = Manifests.RemoveRange(names),
            Pushed = Pushed.RemoveRange(Pushed.Keys.Where(diffId => !layers.Contains(diffId))),
        };
    }

    /// <summary>The index without this name.</summary>
    public StoreIndex WithoutName(string name) => this with { Tags = Tags.Remove(name), Manifests = Manifests.Remove(name) };
}

/// <summary>An image of the store.</summary>
internal sealed record StoredImage
{
    /// <summary>Layers, lowest first.</summary>
    public required ImmutableArray<StoredLayer> Layers { get; init; }

    /// <summary>Whether it came with an OCI manifest, and goes with one.</summary>
    public bool IsOci { get; init; }

    /// <summary>Image that it was built on, or empty.</summary>
    public string ParentId { get; init; } = "";

    /// <summary>Which step of a build made it; null: none.</summary>
    public string? BuildKey { get; init; }

    /// <summary>It is kept for further builds only, unless it has a name.</summary>
    public bool IsIntermediate { get; init; }

    /// <summary>When a tag was last set.</summary>
    public DateTimeOffset TaggedAt { get; init; }

    /// <summary>Its configuration, which is a blob of its own.</summary>
    [JsonIgnore]
    public ImageConfigurationFile Configuration { get; init; } = new();
}

/// <summary>A layer of an image.</summary>
/// <param name="Digest">Its blob.</param>
/// <param name="DiffId">Digest of the uncompressed tar.</param>
/// <param name="UncompressedBytes">Length of the uncompressed tar.</param>
internal sealed record StoredLayer(string Digest, string DiffId, long UncompressedBytes);

/// <summary>A layer as registries have it.</summary>
/// <param name="Digest">Digest of the gzip'd tar.</param>
/// <param name="Bytes">Its length.</param>
internal sealed record PushedLayer(string Digest, long Bytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(StoreIndex))]
internal sealed partial class StoreJson : JsonSerializerContext;
