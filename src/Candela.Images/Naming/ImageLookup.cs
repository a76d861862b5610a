using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images.Naming;

/// <summary>What a user's text refers to.</summary>
/// <param name="ImageId">The image.</param>
/// <param name="Name">The normalised name that it was found by; null when by id.</param>
internal sealed record ImageMatch(string ImageId, ImageReference? Name);

/// <summary>Finds images as Docker does: a full id first, then a name, then an unambiguous prefix of an id.</summary>
internal static class ImageLookup
{
    private const string IdPrefix = "sha256:";

    /// <summary>Finds an image.</summary>
    /// <exception cref="CandelaException">ImageNotFound, or InvalidArgument for what is no reference.</exception>
    public static ImageMatch Find(StoreIndex index, string text)
    {
        string hex = text.StartsWith(IdPrefix, StringComparison.Ordinal) ? text[IdPrefix.Length..] : text;
        if (index.Images.ContainsKey(IdPrefix + hex))
            return new ImageMatch(IdPrefix + hex, null);
        bool mayBeId = hex.Length is > 0 and <= 64 && Digests.IsHex(hex);
        if (text.Length != hex.Length || hex.Length == 64)
            return mayBeId && FindByPrefix(index, hex) is { } exact ? new ImageMatch(exact, null) : throw NotFound(text);

        ImageReference name = ImageReference.Parse(text).WithDefaultTag();
        if (FindByName(index, name) is { } named)
            return new ImageMatch(named, name);
        return mayBeId && FindByPrefix(index, hex) is { } id ? new ImageMatch(id, null) : throw NotFound(name.Familiar);
    }

    private static string? FindByName(StoreIndex index, ImageReference name)
    {
        // With both, Docker goes by the digest.
        return name.Digest is { } digest
            ? index.Manifests.GetValueOrDefault(name.ByDigest(digest).ToString())
            : index.Tags.GetValueOrDefault(name.ToString());
    }

    private static string? FindByPrefix(StoreIndex index, string hex)
    {
        string[] matches = [.. index.Images.Keys.Where(id => id.AsSpan(IdPrefix.Length).StartsWith(hex)).Take(2)];
        return matches is [var only] ? only : null;
    }

    private static CandelaException NotFound(string text) => new(ErrorCode.ImageNotFound, $"No such image: {text}");
}
