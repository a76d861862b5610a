using System.Text.Json;
using System.Text.RegularExpressions;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>A manifest or an index, as far as pulling needs it.</summary>
internal abstract partial record ManifestDocument
{
    /// <summary>Largest manifest or index, bytes (distribution-spec).</summary>
    public const int MaximumBytes = 4 * 1024 * 1024;

    private const int MaximumEntries = 1024;

    /// <summary>Reads a manifest or an index.</summary>
    /// <param name="bytes">JSON, already verified.</param>
    /// <param name="contentType">What the registry or the index calls it; may be empty.</param>
    /// <param name="name">The image's name, for messages.</param>
    /// <exception cref="CandelaException">ImageInvalid, or NotSupported for what is no linux container image that can be run.</exception>
    public static ManifestDocument Parse(ReadOnlyMemory<byte> bytes, string contentType, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 32 });
            return Read(document.RootElement, contentType, name);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw Invalid(name, e.Message, e);
        }
    }

    private static ManifestDocument Read(JsonElement root, string contentType, string name)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw Invalid(name, "no JSON object");
        var declared = Text(root, "mediaType");
        if (MediaTypes.IsSchema1(declared) || MediaTypes.IsSchema1(contentType) || (root.TryGetProperty("schemaVersion", out var version) && version.ValueKind == JsonValueKind.Number && version.GetInt32() == 1))
            throw new CandelaException(ErrorCode.NotSupported, $"{name} has a manifest of schema version 1, which cannot be verified: push the image anew with a current tool");

        // A document that can be read both ways would be another image for each reader (CVE-2021-41190).
        var hasManifests = root.TryGetProperty("manifests", out var manifests);
        var hasLayers = root.TryGetProperty("layers", out var layers);
        if (hasManifests && (hasLayers || root.TryGetProperty("config", out _)))
            throw Invalid(name, "it is both an index and a manifest");
        foreach (var type in (string[])[declared, contentType])
        {
            if ((MediaTypes.IsIndex(type) && !hasManifests) || (MediaTypes.IsManifest(type) && hasManifests))
                throw Invalid(name, $"it is not what its media type {type} says");
        }

        return hasManifests ? IndexDocument.Read(manifests, name) : ImageDocument.Read(root, layers, name);
    }

    private protected static IEnumerable<JsonElement> Elements(JsonElement array, string name)
    {
        if (array.ValueKind != JsonValueKind.Array || array.GetArrayLength() > MaximumEntries)
            throw Invalid(name, $"it has no list, or one of more than {MaximumEntries} entries");
        return array.EnumerateArray();
    }

    private protected static Descriptor ReadDescriptor(JsonElement element, string name)
    {
        var digest = Text(element, "digest");
        if (!DigestPattern().IsMatch(digest))
            throw Invalid(name, $"\"{digest[..Math.Min(digest.Length, 80)]}\" is no sha256 digest");
        if (!element.TryGetProperty("size", out var size) || !size.TryGetInt64(out var bytes) || bytes < 0)
            throw Invalid(name, $"{digest} has no size");
        return new Descriptor(digest, bytes, Text(element, "mediaType"));
    }

    private protected static string Text(JsonElement element, string property)
        => element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";

    private protected static CandelaException Invalid(string name, string reason, Exception? inner = null)
        => new(ErrorCode.ImageInvalid, $"the manifest of {name} is invalid: {reason}", inner);

    [GeneratedRegex(@"^sha256:[a-f0-9]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex DigestPattern();
}
