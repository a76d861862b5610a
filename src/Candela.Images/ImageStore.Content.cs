using Candela.Images.BlockImages;
using Candela.Images.Manifests;
using Candela.Images.Naming;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images;

public sealed partial class ImageStore
{
    private const string SquashfsName = "squashfs";

    /// <inheritdoc/>
    public async Task<BlockImageLease> OpenBlockImageAsync(string imageId, CancellationToken cancellationToken)
    {
        imageId = ImageLookup.Find(_index, imageId).ImageId;
        string chainId = Digests.ChainId(Known().Configuration.DiffIds);
        Uses.Hold lease = _uses.Open();
        try
        {
            lease.Add(BlockKey(chainId));
            lease.Add(LeaseKey(imageId));
            using Uses.Hold content = _uses.Open();
            StoredImage stored = Known();
            foreach (StoredLayer layer in stored.Layers)
                content.Add(layer.Digest);
            await EnsureBlockAsync(chainId, [.. stored.Layers.Select(layer => new LayerSource(_folder.BlobPath(layer.Digest), layer.DiffId))], cancellationToken).ConfigureAwait(false);
            return new BlockImageLease(_folder.BlockPath(chainId), SquashfsName, lease.Dispose);
        }
        catch
        {
            lease.Dispose();
            throw;
        }

        StoredImage Known() => _index.Images.GetValueOrDefault(imageId) ?? throw new CandelaException(ErrorCode.ImageNotFound, $"No such image: {imageId}");
    }

    /// <inheritdoc/>
    public async Task<long> CollectGarbageAsync(CancellationToken cancellationToken)
    {
        await _changes.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(Sweep, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _changes.Release();
        }
    }

    private static string BlockKey(string chainId) => "block " + chainId;

    private static string LeaseKey(string imageId) => "lease " + imageId;

    private async Task EnsureBlockAsync(string chainId, IReadOnlyList<LayerSource> layers, CancellationToken cancellationToken)
    {
        using IDisposable turn = await _work.TakeAsync(BlockKey(chainId), cancellationToken).ConfigureAwait(false);
        if (!File.Exists(_folder.BlockPath(chainId)))
            await Task.Run(() => _builder.BuildAsync(layers, null, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a complete temporary file the blob of this digest, which the caller holds.</summary>
    private void PublishBlob(string temporary, string digest)
    {
        if (File.Exists(_folder.BlobPath(digest)))
            File.Delete(temporary);
        else
            StoreFolder.Publish(temporary, _folder.BlobPath(digest));
    }

    private void WriteBlob(byte[] content, string digest)
    {
        string temporary = _folder.NewTemporaryPath();
        try
        {
            File.WriteAllBytes(temporary, content);
            PublishBlob(temporary, digest);
        }
        catch (IOException e) when (LinuxFile.IsDiskFull(e))
        {
            throw LinuxFile.DiskFull(_folder.Root, e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>
    /// Adds an image whose layers are blobs of the store, held by the caller: verifies them, makes the block image, then the image
    /// and its names known in one step.
    /// </summary>
    /// <param name="configuration">The configuration blob.</param>
    /// <param name="layers">Digests of the layers, lowest first.</param>
    /// <param name="naming">Gives the names.</param>
    /// <param name="progress">Told the layer's index and how much of its blob is read.</param>
    /// <param name="hold">Keeps the content until the image is known.</param>
    /// <param name="cancellationToken">Gives up.</param>
    private async Task<string> AddImageAsync(
        byte[] configuration,
        IReadOnlyList<string> layers,
        Func<StoreIndex, string, StoreIndex> naming,
        Action<int, long>? progress,
        Uses.Hold hold,
        CancellationToken cancellationToken)
    {
        ImageConfigurationFile file = ImageConfigurationFile.Parse(configuration, _limits);
        if (file.DiffIds.Count != layers.Count)
            throw new CandelaException(ErrorCode.ImageInvalid, $"the manifest has {layers.Count} layers, the configuration {file.DiffIds.Count}");
        string imageId = Digests.Of(configuration);
        string chainId = Digests.ChainId(file.DiffIds);
        hold.Add(imageId);
        hold.Add(BlockKey(chainId));
        StoredLayer[] stored = await VerifyAsync(chainId, layers, file.DiffIds, progress, cancellationToken).ConfigureAwait(false);
        WriteBlob(configuration, imageId);
        await ChangeAsync(
            index =>
            {
                StoredImage? known = index.Images.GetValueOrDefault(imageId);
                StoredImage image = new() { Layers = [.. stored], Configuration = file, TaggedAt = known?.TaggedAt ?? default, IsOci = known?.IsOci ?? false, ParentId = known?.ParentId ?? "", BuildKey = known?.BuildKey };
                return naming(index with { Images = index.Images.SetItem(imageId, image) }, imageId);
            },
            cancellationToken).ConfigureAwait(false);
        return imageId;
    }

    private async Task<StoredLayer[]> VerifyAsync(string chainId, IReadOnlyList<string> layers, IReadOnlyList<string> diffIds, Action<int, long>? progress, CancellationToken cancellationToken)
    {
        using IDisposable turn = await _work.TakeAsync(BlockKey(chainId), cancellationToken).ConfigureAwait(false);
        StoredLayer?[] known = [.. layers.Zip(diffIds, FindVerified)];
        if (!known.Contains(null) && File.Exists(_folder.BlockPath(chainId)))
            return known!;
        LayerSource[] sources = [.. layers.Zip(diffIds, (digest, diffId) => new LayerSource(_folder.BlobPath(digest), diffId))];
        IReadOnlyList<LayerMeasure> measures = await Task.Run(() => _builder.BuildAsync(sources, progress, cancellationToken), cancellationToken).ConfigureAwait(false);
        return [.. layers.Zip(measures, static (digest, measure) => new StoredLayer(digest, measure.DiffId, measure.Bytes))];
    }

    /// <summary>The layer, when an image of the store has it: it was verified then.</summary>
    private StoredLayer? FindVerified(string digest, string diffId) =>
        _index.Images.Values.SelectMany(static image => image.Layers).FirstOrDefault(layer => layer.Digest == digest && layer.DiffId == diffId);

    /// <summary>Deletes what nothing refers to. No image becomes known meanwhile.</summary>
    private long Sweep()
    {
        StoreIndex index = _index;
        HashSet<string> kept = new(StringComparer.Ordinal);
        foreach ((string id, StoredImage image) in index.Images)
        {
            kept.Add(Digests.Hex(id));
            kept.UnionWith(image.Layers.Select(static layer => Digests.Hex(layer.Digest)));
            kept.Add(BlockKey(Digests.ChainId([.. image.Layers.Select(static layer => layer.DiffId)])));
        }

        long freed = 0;
        foreach (string path in Directory.EnumerateFiles(_folder.Blobs))
        {
            if (!kept.Contains(Path.GetFileName(path)))
                freed += _uses.Delete("sha256:" + Path.GetFileName(path), path);
        }

        foreach (string path in Directory.EnumerateFiles(_folder.Blocks))
        {
            string key = BlockKey("sha256:" + Path.GetFileNameWithoutExtension(path));
            if (!kept.Contains(key))
                freed += _uses.Delete(key, path);
        }

        foreach (string path in Directory.EnumerateFiles(_folder.Partial))
            freed += _uses.Delete("sha256:" + Path.GetFileName(path), path);
        return freed;
    }
}
