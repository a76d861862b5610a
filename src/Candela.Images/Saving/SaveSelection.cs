using Candela.Images.Naming;
using Candela.Images.Storage;

namespace Candela.Images.Saving;

/// <summary>An image to save.</summary>
/// <param name="ImageId">Its id.</param>
/// <param name="Names">Its names that go along; none when it was asked for by id.</param>
internal sealed record SelectedImage(string ImageId, IReadOnlyList<ImageReference> Names);

/// <summary>Which images, under which names, a list of references means (as Docker, image/tarexport/save.go).</summary>
internal static class SaveSelection
{
    /// <summary>Finds them: a tag means itself, a repository without a tag all its tags, an id the image without names.</summary>
    /// <exception cref="Model.CandelaException">ImageNotFound, or InvalidArgument for what is no reference.</exception>
    public static IReadOnlyList<SelectedImage> Find(StoreIndex index, IReadOnlyList<string> references)
    {
        List<string> order = [];
        Dictionary<string, List<ImageReference>> names = new(StringComparer.Ordinal);
        foreach (string reference in references)
        {
            foreach ((string id, ImageReference? name) in FindOne(index, reference))
            {
                if (names.TryAdd(id, []))
                    order.Add(id);
                if (name is not null && !names[id].Contains(name))
                    names[id].Add(name);
            }
        }

        return [.. order.Select(id => new SelectedImage(id, names[id]))];
    }

    private static (string Id, ImageReference? Name)[] FindOne(StoreIndex index, string reference)
    {
        if (ImageReference.TryParse(reference, out ImageReference? repository) && repository is { Tag: null, Digest: null })
        {
            (string, ImageReference?)[] tags = [.. index.Tags
                .Where(tag => tag.Key.StartsWith(repository.Name + ":", StringComparison.Ordinal))
                .Select(static tag => (tag.Value, (ImageReference?)ImageReference.Parse(tag.Key)))];
            if (tags.Length > 0)
                return tags;
        }

        ImageMatch match = ImageLookup.Find(index, reference);
        return [(match.ImageId, match.Name is { Digest: null } ? match.Name : null)];
    }
}
