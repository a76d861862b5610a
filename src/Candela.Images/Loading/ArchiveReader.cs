using System.Text.Json;
using System.Text.Json.Serialization;
using Candela.Images.Naming;
using Candela.Images.Registry;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images.Loading;

/// <summary>An image of an archive.</summary>
/// <param name="Configuration">Its configuration.</param>
/// <param name="Layers">Its layers, lowest first.</param>
/// <param name="Names">Its names, tagged.</param>
internal sealed record ArchiveImage(byte[] Configuration, IReadOnlyList<ArchiveMember> Layers, IReadOnlyList<ImageReference> Names);

/// <summary>Finds the images of a <c>docker save</c> archive (<c>manifest.json</c>) or an OCI layout (<c>index.json</c>).</summary>
internal static class ArchiveReader
{
    private const string SavedManifest = "manifest.json";
    private const string LayoutIndex = "index.json";
    private const int ImagesMaximum = 1000;
    private const int IndexDepthMaximum = 3;

    /// <summary>The images. What is in both formats is read as <c>docker save</c>'s.</summary>
    /// <exception cref="CandelaException">ImageInvalid, or NotSupported for another platform.</exception>
    public static IReadOnlyList<ArchiveImage> Read(ArchiveContent archive, ImageLimits limits)
    {
        try
        {
            List<ArchiveImage> images = archive.Contains(SavedManifest) ? ReadSaved(archive, limits)
                : archive.Contains(LayoutIndex) ? ReadLayout(archive, limits)
                : throw ArchiveContent.Invalid($"it has neither {SavedManifest} (docker save) nor {LayoutIndex} (OCI layout); a root file system is imported instead (docker import)");
            return images.Count > 0 ? images : throw ArchiveContent.Invalid("it has no image for linux/amd64");
        }
        catch (JsonException e)
        {
            throw ArchiveContent.Invalid(e.Message, e);
        }
    }

    private static List<ArchiveImage> ReadSaved(ArchiveContent archive, ImageLimits limits)
    {
        byte[] json = ArchiveContent.ReadAll(archive.Get(SavedManifest), limits.ManifestBytes);
        SavedImage[] entries = [.. (JsonSerializer.Deserialize(json, ArchiveJson.Default.SavedImageArray) ?? []).OfType<SavedImage>()];
        RequireFewImages(entries.Length);
        List<ArchiveImage> images = [];
        foreach (SavedImage entry in entries)
        {
            ArchiveMember configuration = archive.Get(entry.Config ?? "");
            string stated = Path.GetFileNameWithoutExtension(entry.Config) ?? "";
            if (Digests.IsValid("sha256:" + stated) && configuration.Digest != "sha256:" + stated)
                throw ArchiveContent.Invalid($"the content of {entry.Config} is {configuration.Digest}");
            if (entry.Layers?.Count > limits.Layers)
                throw ArchiveContent.Invalid($"an image has {entry.Layers.Count} layers; at most {limits.Layers} are accepted");
            images.Add(new ArchiveImage(
                ArchiveContent.ReadAll(configuration, limits.ConfigurationBytes),
                [.. (entry.Layers ?? []).Select(static name => name ?? "").Select(archive.Get)],
                [.. (entry.RepoTags ?? []).Select(static name => name ?? "").Select(ReadName)]));
        }

        return images;
    }

    private static List<ArchiveImage> ReadLayout(ArchiveContent archive, ImageLimits limits)
    {
        byte[] json = ArchiveContent.ReadAll(archive.Get(LayoutIndex), limits.ManifestBytes);
        LayoutEntry[] entries = [.. (JsonSerializer.Deserialize(json, ArchiveJson.Default.Layout)?.Manifests ?? []).OfType<LayoutEntry>()];
        RequireFewImages(entries.Length);
        List<ArchiveImage> images = [];
        foreach (LayoutEntry entry in entries)
        {
            if (entry.Platform is not (null or { Os: "linux", Architecture: "amd64" }))
                continue;
            string name = entry.Name;
            ImageDocument image = ReadImage(archive, entry.Digest ?? "", entry.MediaType ?? "", name.Length > 0 ? name : entry.Digest ?? "", limits);
            images.Add(new ArchiveImage(
                ArchiveContent.ReadAll(archive.GetBlob(image.Configuration.Digest), limits.ConfigurationBytes),
                [.. image.Layers.Select(layer => archive.GetBlob(layer.Digest))],
                name.Length > 0 ? [ReadName(name)] : []));
        }

        // One image may have several names, an entry for each.
        return [.. images
            .GroupBy(static image => Digests.Of(image.Configuration))
            .Select(static same => same.First() with { Names = [.. same.SelectMany(static image => image.Names).Distinct()] })];
    }

    private static ImageDocument ReadImage(ArchiveContent archive, string digest, string mediaType, string name, ImageLimits limits)
    {
        for (int depth = 0; depth <= IndexDepthMaximum; depth++)
        {
            switch (ManifestDocument.Parse(ArchiveContent.ReadAll(archive.GetBlob(digest), limits.ManifestBytes), mediaType, name))
            {
                case ImageDocument image:
                    return image;
                case IndexDocument index:
                    (digest, _, mediaType) = index.Choose(name);
                    break;
            }
        }

        throw ArchiveContent.Invalid($"indexes are nested more than {IndexDepthMaximum} deep");
    }

    private static ImageReference ReadName(string text)
    {
        try
        {
            return ImageReference.Parse(text) is { Digest: null } name ? name.WithDefaultTag() : throw ArchiveContent.Invalid($"name {text} has a digest");
        }
        catch (CandelaException e) when (e.Code == ErrorCode.InvalidArgument)
        {
            throw ArchiveContent.Invalid(e.Message, e);
        }
    }

    private static void RequireFewImages(int count)
    {
        if (count > ImagesMaximum)
            throw ArchiveContent.Invalid($"it has {count} images; at most {ImagesMaximum} are accepted");
    }
}

/// <summary>An element of <c>manifest.json</c>.</summary>
internal sealed record SavedImage(string? Config, IReadOnlyList<string?>? RepoTags, IReadOnlyList<string?>? Layers);

/// <summary><c>index.json</c>.</summary>
internal sealed record Layout([property: JsonPropertyName("manifests")] LayoutEntry[]? Manifests);

/// <summary>An element of <c>index.json</c>.</summary>
internal sealed record LayoutEntry(
    [property: JsonPropertyName("digest")] string? Digest,
    [property: JsonPropertyName("mediaType")] string? MediaType,
    [property: JsonPropertyName("platform")] LayoutPlatform? Platform,
    [property: JsonPropertyName("annotations")] IReadOnlyDictionary<string, string>? Annotations)
{
    /// <summary>The whole name, or empty: many tools annotate a mere tag, which names no repository.</summary>
    [JsonIgnore]
    public string Name
    {
        get
        {
            if (Annotations?.GetValueOrDefault("io.containerd.image.name") is { Length: > 0 } name)
                return name;
            return Annotations?.GetValueOrDefault("org.opencontainers.image.ref.name") is { } reference && reference.AsSpan().IndexOfAny(':', '/') > 0 ? reference : "";
        }
    }
}

/// <summary>The platform of an element.</summary>
internal sealed record LayoutPlatform([property: JsonPropertyName("os")] string? Os, [property: JsonPropertyName("architecture")] string? Architecture);

[JsonSerializable(typeof(SavedImage[]))]
[JsonSerializable(typeof(Layout))]
internal sealed partial class ArchiveJson : JsonSerializerContext;
