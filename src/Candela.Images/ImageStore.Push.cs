using System.Text.Json;
using Candela.Images.Naming;
using Candela.Images.Pushing;
using Candela.Images.Registry;
using Candela.Images.Saving;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images;

public sealed partial class ImageStore
{
    private const int UploadsAtOnce = 3;

    /// <inheritdoc/>
    public async Task<PushedImage> PushAsync(string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        ImageReference name = ImageReference.Parse(reference).WithDefaultTag();
        if (name.Digest is not null)
            throw new CandelaException(ErrorCode.InvalidArgument, "cannot push a digest reference");
        progress?.Report(new ImageProgress(null, $"The push refers to repository [{name.Name}]"));
        if (_index.Tags.GetValueOrDefault(name.ToString()) is not { } imageId)
            throw new CandelaException(ErrorCode.ImageNotFound, $"An image does not exist locally with the tag: {name.FamiliarName}");
        using Uses.Hold hold = _uses.Open();
        StoredImage image = Hold(imageId, hold);
        bool isOci = image.IsOci || image.Layers.Any(layer => CompressedLayer.MediaTypeOf(_folder.BlobPath(layer.Digest), isOci: true) == MediaTypes.OciZstdLayer);
        using DestinationRepository destination = _destination.Open(name, credential, [.. MountSources(_index, image, name).Select(static source => source.Path).Distinct()]);

        PushStatus[] statuses = [.. image.Layers.Select(layer => new PushStatus(progress, layer.DiffId))];
        foreach (PushStatus status in statuses.Reverse())
            status.Announce();
        ArchiveDescriptor[] layers = await PushLayersAsync(destination, name, image, statuses, isOci, cancellationToken).ConfigureAwait(false);
        byte[] configuration = await File.ReadAllBytesAsync(_folder.BlobPath(imageId), cancellationToken).ConfigureAwait(false);
        if (!await destination.HasAsync(imageId, cancellationToken).ConfigureAwait(false))
            await destination.UploadAsync(new Descriptor(imageId, configuration.Length, ""), _folder.BlobPath(imageId), null, cancellationToken).ConfigureAwait(false);

        string mediaType = isOci ? MediaTypes.OciManifest : MediaTypes.DockerManifest;
        ArchiveManifest document = new(2, mediaType, new ArchiveDescriptor(isOci ? MediaTypes.OciConfiguration : MediaTypes.DockerConfiguration, imageId, configuration.Length), layers);
        byte[] manifest = JsonSerializer.SerializeToUtf8Bytes(document, LayoutJson.Default.ArchiveManifest);
        await destination.PutManifestAsync(name.Tag!, manifest, mediaType, cancellationToken).ConfigureAwait(false);

        string digest = Digests.Of(manifest);
        await ChangeAsync(
            index => index.Images.ContainsKey(imageId) ? index with { Manifests = index.Manifests.SetItem(name.ByDigest(digest).ToString(), imageId) } : index,
            cancellationToken).ConfigureAwait(false);
        progress?.Report(new ImageProgress(null, $"{name.Tag}: digest: {digest} size: {manifest.Length}"));
        Raise("push", imageId, name.Familiar);
        return new PushedImage(name.Tag!, digest, manifest.Length);
    }

    /// <summary>Other repositories of the registry that have layers of the image, as far as is known here: they were pulled from or pushed to it.</summary>
    private static IEnumerable<(string Path, string Digest)> MountSources(StoreIndex index, StoredImage image, ImageReference target)
    {
        HashSet<string> wanted = [.. image.Layers.Select(layer => RemoteDigest(index, layer))];
        foreach ((string text, string imageId) in index.Manifests)
        {
            if (ImageReference.Parse(text) is not { } known || known.Domain != target.Domain || known.Path == target.Path || !index.Images.TryGetValue(imageId, out StoredImage? other))
                continue;
            foreach (StoredLayer layer in other.Layers)
            {
                if (wanted.Contains(RemoteDigest(index, layer)))
                    yield return (known.Path, RemoteDigest(index, layer));
            }
        }
    }

    /// <summary>Digest of a layer in registries; that of an uncompressed one that was never pushed is not in any.</summary>
    private static string RemoteDigest(StoreIndex index, StoredLayer layer) =>
        layer.Digest == layer.DiffId && index.Pushed.TryGetValue(layer.DiffId, out PushedLayer? pushed) ? pushed.Digest : layer.Digest;

    private async Task<ArchiveDescriptor[]> PushLayersAsync(
        DestinationRepository destination, ImageReference name, StoredImage image, PushStatus[] statuses, bool isOci, CancellationToken cancellationToken)
    {
        ILookup<string, string> sources = MountSources(_index, image, name).Distinct().ToLookup(static source => source.Digest, static source => source.Path);
        ArchiveDescriptor[] layers = new ArchiveDescriptor[image.Layers.Length];
        ParallelOptions limits = new() { MaxDegreeOfParallelism = UploadsAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, layers.Length, limits, async (i, stop) =>
        {
            // The same layer twice is uploaded once.
            using IDisposable turn = await _work.TakeAsync($"push {name.Name} {image.Layers[i].DiffId}", stop).ConfigureAwait(false);
            layers[i] = await PushLayerAsync(destination, image.Layers[i], statuses[i], isOci, sources, stop).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return layers;
    }

    private async Task<ArchiveDescriptor> PushLayerAsync(
        DestinationRepository destination, StoredLayer layer, PushStatus status, bool isOci, ILookup<string, string> sources, CancellationToken cancellationToken)
    {
        string blob = _folder.BlobPath(layer.Digest);
        if (CompressedLayer.MediaTypeOf(blob, isOci) is { } mediaType)
        {
            ArchiveDescriptor asIs = new(mediaType, layer.Digest, new FileInfo(blob).Length);
            if (!await IsThereAsync(asIs.Digest).ConfigureAwait(false))
                await UploadAsync(asIs, blob).ConfigureAwait(false);
            return asIs;
        }

        string packedType = isOci ? MediaTypes.OciGzipLayer : MediaTypes.DockerGzipLayer;
        if (_index.Pushed.TryGetValue(layer.DiffId, out PushedLayer? known) && await IsThereAsync(known.Digest).ConfigureAwait(false))
            return new ArchiveDescriptor(packedType, known.Digest, known.Bytes);
        string temporary = _folder.NewTemporaryPath();
        try
        {
            PushedLayer packed = await CompressedLayer.WriteAsync(blob, temporary, cancellationToken).ConfigureAwait(false);
            await ChangeAsync(index => index with { Pushed = index.Pushed.SetItem(layer.DiffId, packed) }, cancellationToken).ConfigureAwait(false);
            ArchiveDescriptor descriptor = new(packedType, packed.Digest, packed.Bytes);
            if (known == packed || !await IsThereAsync(packed.Digest).ConfigureAwait(false))
                await UploadAsync(descriptor, temporary).ConfigureAwait(false);
            return descriptor;
        }
        catch (IOException e) when (LinuxFile.IsDiskFull(e))
        {
            throw LinuxFile.DiskFull(_folder.Root, e);
        }
        finally
        {
            File.Delete(temporary);
        }

        async Task<bool> IsThereAsync(string digest)
        {
            if (await destination.HasAsync(digest, cancellationToken).ConfigureAwait(false))
            {
                status.AlreadyExists();
                return true;
            }

            foreach (string source in sources[digest])
            {
                if (!await destination.MountAsync(digest, source, cancellationToken).ConfigureAwait(false))
                    continue;
                status.MountedFrom(source);
                return true;
            }

            return false;
        }

        async Task UploadAsync(ArchiveDescriptor descriptor, string path)
        {
            status.Total = descriptor.Size;
            await destination.UploadAsync(new Descriptor(descriptor.Digest, descriptor.Size, descriptor.MediaType), path, status, cancellationToken).ConfigureAwait(false);
            status.Pushed();
        }
    }
}
