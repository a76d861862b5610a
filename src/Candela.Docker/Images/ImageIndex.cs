using Candela.Images;

namespace Candela.Docker.Images;

/// <summary>All images by id and by name, for answers that show many containers.</summary>
internal sealed class ImageIndex
{
    private readonly Dictionary<string, Image> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _idByName = new(StringComparer.Ordinal);

    public ImageIndex(IReadOnlyList<Image> images)
    {
        foreach (var image in images)
        {
            _byId[image.Id] = image;
            foreach (var tag in image.Tags)
                _idByName[tag] = image.Id;
        }
    }

    public Image? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>The reference has not moved to another image since; ids and digests never do.</summary>
    public bool StillMeans(string reference, string id) =>
        !_idByName.TryGetValue(ImageNames.WithDefaultTag(ImageNames.Familiar(reference)), out var now)
            ? reference.Contains('@', StringComparison.Ordinal) || !_byId.ContainsKey(id)
            : now == id;

    /// <summary>The image of this name or id, or null.</summary>
    public Image? Resolve(string reference)
    {
        if (_idByName.TryGetValue(ImageNames.WithDefaultTag(ImageNames.Familiar(reference)), out var id))
            return _byId.GetValueOrDefault(id);
        var digits = reference.StartsWith("sha256:", StringComparison.Ordinal) ? reference["sha256:".Length..] : reference;
        if (digits.Length == 0 || !digits.All(char.IsAsciiHexDigitLower))
            return null;
        return _byId.Values.FirstOrDefault(image => image.Id["sha256:".Length..].StartsWith(digits, StringComparison.Ordinal));
    }

    /// <summary>The image, or one built on its layers.</summary>
    public static bool IsOrStemsFrom(Image image, Image ancestor) =>
        image.Id == ancestor.Id
        || image.DiffIds.Count > ancestor.DiffIds.Count && image.DiffIds.Take(ancestor.DiffIds.Count).SequenceEqual(ancestor.DiffIds, StringComparer.Ordinal);
}
