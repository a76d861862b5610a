using System.Text.Json;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>An image's manifest.</summary>
/// <param name="Configuration">Its configuration.</param>
/// <param name="Layers">Its layers, lowest first.</param>
internal sealed record ImageDocument(Descriptor Configuration, IReadOnlyList<Descriptor> Layers) : ManifestDocument
{
    /// <summary>Largest configuration, bytes.</summary>
    public const int MaximumConfigurationBytes = 8 * 1024 * 1024;

    /// <summary>Most layers of an image.</summary>
    public const int MaximumLayers = 128;

    /// <summary>Largest sum of an image's layers as they are in the registry, bytes.</summary>
    public const long MaximumLayerBytes = 64L << 30;

    /// <summary>Reads the parts of an image's manifest.</summary>
    public static ImageDocument Read(JsonElement root, JsonElement layers, string name)
    {
        if (!root.TryGetProperty("config", out var element))
            throw Invalid(name, "it names no configuration");
        var configuration = ReadDescriptor(element, name);
        if (!MediaTypes.IsConfiguration(configuration.MediaType))
            throw new CandelaException(ErrorCode.NotSupported, $"{name} is not a container image but of type {configuration.MediaType}");
        if (configuration.Size > MaximumConfigurationBytes)
            throw Invalid(name, $"its configuration has more than {MaximumConfigurationBytes} bytes");
        var list = new List<Descriptor>();
        foreach (var entry in Elements(layers, name))
            list.Add(ReadLayer(entry, name));
        if (list.Count > MaximumLayers)
            throw Invalid(name, $"it has more than {MaximumLayers} layers");
        if (list.Any(static layer => layer.Size > MaximumLayerBytes) || list.Sum(static layer => layer.Size) > MaximumLayerBytes)
            throw Invalid(name, $"its layers have more than {MaximumLayerBytes} bytes");
        return new ImageDocument(configuration, list);
    }

    private static Descriptor ReadLayer(JsonElement entry, string name)
    {
        var layer = ReadDescriptor(entry, name);
        if (MediaTypes.IsForeignLayer(layer.MediaType))
            throw new CandelaException(ErrorCode.NotSupported, $"{name} has a layer that registries do not hold ({layer.MediaType}), as Windows images do: it cannot be pulled");
        if (!MediaTypes.IsLayer(layer.MediaType))
            throw new CandelaException(ErrorCode.NotSupported, $"{name} has a layer of unknown type \"{layer.MediaType}\": it cannot be unpacked");
        return layer;
    }
}
