using Candela.Model;

namespace Candela.Images.Layers;

/// <summary>Words failures of layer data.</summary>
internal static class LayerException
{
    /// <summary>The layer is damaged or hostile.</summary>
    public static CandelaException Invalid(string reason, Exception? inner = null) =>
        new(ErrorCode.ImageInvalid, $"invalid layer: {reason}", inner);
}
