using Candela.Images.Files;
using Candela.Images.Naming;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images;

public sealed partial class ImageStore
{
    /// <inheritdoc/>
    public string NewTemporaryPath() => _folder.NewTemporaryPath();

    /// <inheritdoc/>
    public Task<Image?> FindBuiltAsync(string buildKey, CancellationToken cancellationToken)
    {
        StoreIndex index = _index;
        string? id = index.Images.Where(image => image.Value.BuildKey == buildKey).Select(static image => image.Key).FirstOrDefault();
        return Task.FromResult(id is null ? null : Describe(index, id));
    }

    /// <inheritdoc/>
    public async Task KeepBuiltAsync(string imageId, IReadOnlyList<string> references, CancellationToken cancellationToken)
    {
        ImageReference[] names = [.. references.Select(TagName)];
        await ChangeAsync(
            index =>
            {
                if (!index.Images.TryGetValue(imageId, out StoredImage? image))
                    throw new CandelaException(ErrorCode.ImageNotFound, $"No such image: {imageId}");
                index = index with { Images = index.Images.SetItem(imageId, image with { IsIntermediate = false }) };
                return names.Aggregate(index, (named, name) => named.WithTag(name.ToString(), imageId));
            },
            cancellationToken).ConfigureAwait(false);
        foreach (ImageReference name in names)
            Raise("tag", imageId, name.Familiar);
    }

    /// <inheritdoc/>
    public async Task<FileTree> OpenFilesAsync(string? imageId, CancellationToken cancellationToken)
    {
        Uses.Hold hold = _uses.Open();
        try
        {
            string[] layers = imageId is null ? [] : [.. Hold(imageId, hold).Layers.Select(layer => _folder.BlobPath(layer.Digest))];
            return await Task.Run(() => FileTree.Read(layers, _limits, hold, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<long> PruneBuiltAsync(Func<string, bool> isUsed, CancellationToken cancellationToken)
    {
        await ChangeAsync(
            index => index.Images.Where(image => IsHidden(index, image.Key, image.Value) && !isUsed(image.Key) && !_uses.IsHeld(LeaseKey(image.Key))).Aggregate(index, static (left, image) => left.WithoutImage(image.Key)),
            cancellationToken).ConfigureAwait(false);
        return await CollectGarbageAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether an image is nobody's but the builder's.</summary>
    private static bool IsHidden(StoreIndex index, string id, StoredImage image) => image.IsIntermediate && !index.NamesOf(id).Any();
}
