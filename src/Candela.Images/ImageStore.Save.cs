using Candela.Images.Naming;
using Candela.Images.Saving;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images;

public sealed partial class ImageStore
{
    /// <inheritdoc/>
    public async Task SaveAsync(IReadOnlyList<string> references, Func<Task<Stream>> begin, CancellationToken cancellationToken)
    {
        if (references.Count == 0)
            throw new CandelaException(ErrorCode.InvalidArgument, "no image is named: say which ones to save");
        using Uses.Hold hold = _uses.Open();
        List<(string Id, StoredImage Image, IReadOnlyList<ImageReference> Names)> images = [];
        foreach (SelectedImage selected in SaveSelection.Find(_index, references))
            images.Add((selected.ImageId, Hold(selected.ImageId, hold), selected.Names));
        Stream output = await begin().ConfigureAwait(false);
        using (ArchiveWriter writer = new(_folder, output))
            await writer.WriteAsync(images, cancellationToken).ConfigureAwait(false);
        foreach ((string id, _, IReadOnlyList<ImageReference> names) in images)
            Raise("save", id, names is [var first, ..] ? first.Familiar : "");
    }

    /// <summary>Keeps an image's content from being deleted.</summary>
    private StoredImage Hold(string imageId, Uses.Hold hold)
    {
        hold.Add(imageId);
        if (_index.Images.GetValueOrDefault(imageId) is not { } image)
            throw new CandelaException(ErrorCode.ImageNotFound, $"No such image: {imageId}");
        foreach (StoredLayer layer in image.Layers)
            hold.Add(layer.Digest);

        // Only what is known after it is held cannot have been deleted before.
        return _index.Images.GetValueOrDefault(imageId) ?? throw new CandelaException(ErrorCode.ImageNotFound, $"No such image: {imageId}");
    }
}
