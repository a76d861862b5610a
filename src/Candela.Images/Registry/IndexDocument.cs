using System.Text.Json;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>An index: one image for several platforms.</summary>
/// <param name="Entries">Its manifests, in their order.</param>
internal sealed record IndexDocument(IReadOnlyList<IndexEntry> Entries) : ManifestDocument
{
    /// <summary>Reads the list of an index.</summary>
    public static IndexDocument Read(JsonElement manifests, string name)
    {
        var list = new List<IndexEntry>();
        foreach (var entry in Elements(manifests, name))
        {
            var platform = entry.TryGetProperty("platform", out var value) && value.ValueKind == JsonValueKind.Object ? value : (JsonElement?)null;
            list.Add(new IndexEntry(
                ReadDescriptor(entry, name),
                platform is { } os ? Text(os, "os") : "",
                platform is { } architecture ? Text(architecture, "architecture") : "",
                platform is { } variant ? Text(variant, "variant") : ""));
        }

        return new IndexDocument(list);
    }

    /// <summary>
    /// The entry for linux/amd64: one without variant first, else the lowest variant, which runs on most CPUs;
    /// else the only entry, when it names no platform.
    /// </summary>
    /// <exception cref="CandelaException">ImageNotFound when there is none.</exception>
    public Descriptor Choose(string name)
    {
        var entry = Entries
            .Where(static one => one is { OperatingSystem: "linux", Architecture: "amd64" } && IsKnown(one.Descriptor.MediaType))
            .OrderBy(static one => one.Variant, StringComparer.Ordinal)
            .FirstOrDefault();
        if (entry is null && Entries is [{ OperatingSystem: "", Architecture: "" } only] && IsKnown(only.Descriptor.MediaType))
            entry = only;
        if (entry is not null)
            return entry.Descriptor;
        var platforms = Entries.Where(static one => one.OperatingSystem is not ("" or "unknown")).Select(static one => one.Platform).Distinct().Take(20);
        throw new CandelaException(ErrorCode.ImageNotFound, $"no matching manifest for linux/amd64 in the manifest list entries of {name} (there are: {string.Join(", ", platforms)})");
    }

    private static bool IsKnown(string type) => type.Length == 0 || MediaTypes.IsManifest(type) || MediaTypes.IsIndex(type);
}

/// <summary>One manifest of an index.</summary>
/// <param name="Descriptor">The manifest.</param>
/// <param name="OperatingSystem">For example <c>linux</c>; empty when not said.</param>
/// <param name="Architecture">For example <c>amd64</c>; empty when not said.</param>
/// <param name="Variant">For example <c>v2</c>; mostly empty.</param>
internal sealed record IndexEntry(Descriptor Descriptor, string OperatingSystem, string Architecture, string Variant)
{
    /// <summary><c>os/architecture[/variant]</c>.</summary>
    public string Platform => Variant.Length == 0 ? $"{OperatingSystem}/{Architecture}" : $"{OperatingSystem}/{Architecture}/{Variant}";
}
