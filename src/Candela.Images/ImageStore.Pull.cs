using Candela.Images.Naming;
using Candela.Images.Pulling;
using Candela.Images.Registry;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images;

public sealed partial class ImageStore
{
    private const int DownloadsAtOnce = 3; // Docker's default

    private readonly SharedPulls _pulls = new();

    /// <inheritdoc/>
    public async Task<Image> PullAsync(string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        ImageReference parsed = ImageReference.Parse(reference).WithDefaultTag();
        string imageId = await _pulls.RunAsync(
            parsed.ToString(),
            credential,
            progress,
            (all, stop) => PullOrCleanAsync(parsed, credential, all, stop),
            cancellationToken).ConfigureAwait(false);
        return await GetAsync(imageId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>After a passing failure what is downloaded stays for the next attempt; bad content goes at once.</summary>
    private async Task<string> PullOrCleanAsync(ImageReference reference, RegistryCredential? credential, IProgress<ImageProgress> progress, CancellationToken cancellationToken)
    {
        try
        {
            return await PullAsync(reference, credential, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.ImageInvalid or ErrorCode.ResourceExhausted)
        {
            await CollectGarbageAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<string> PullAsync(ImageReference reference, RegistryCredential? credential, IProgress<ImageProgress> progress, CancellationToken cancellationToken)
    {
        using Uses.Hold hold = _uses.Open();
        SourceImage source = await _source.ResolveAsync(reference, credential, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            progress.Report(new ImageProgress(reference.Digest ?? reference.Tag, $"Pulling from {reference.Path}"));
            LayerStatus[] layers = [.. source.Layers.Select(layer => new LayerStatus(progress, layer.Digest, layer.Size))];
            await FetchAsync(source, source.Configuration, null, hold, cancellationToken).ConfigureAwait(false);
            byte[] configuration = await File.ReadAllBytesAsync(_folder.BlobPath(source.Configuration.Digest), cancellationToken).ConfigureAwait(false);
            await FetchLayersAsync(source, layers, hold, cancellationToken).ConfigureAwait(false);

            string imageId = await AddImageAsync(
                configuration,
                [.. source.Layers.Select(static layer => layer.Digest)],
                (index, id) => NamePulled(index, id, reference, source),
                (layer, done) => layers[layer].Extracting(done),
                hold,
                cancellationToken).ConfigureAwait(false);
            foreach (LayerStatus layer in layers)
                layer.Complete();
            progress.Report(new ImageProgress(null, $"Digest: {source.ManifestDigest}"));
            string status = layers.All(static layer => layer.WasThere) ? "Image is up to date" : "Downloaded newer image";
            progress.Report(new ImageProgress(null, $"Status: {status} for {reference.Familiar}"));
            Raise("pull", imageId, reference.Familiar);
            return imageId;
        }
    }

    /// <summary>By digest no tag is set, as Docker does, even if the reference has one too.</summary>
    private static StoreIndex NamePulled(StoreIndex index, string imageId, ImageReference reference, SourceImage source)
    {
        index = index with
        {
            Manifests = index.Manifests.SetItem(reference.ByDigest(source.ManifestDigest).ToString(), imageId),
            Images = index.Images.SetItem(imageId, index.Images[imageId] with { IsOci = source.Configuration.MediaType == MediaTypes.OciConfiguration }),
        };
        return reference is { Tag: not null, Digest: null } ? index.WithTag(reference.ToString(), imageId) : index;
    }

    private async Task FetchLayersAsync(SourceImage source, LayerStatus[] layers, Uses.Hold hold, CancellationToken cancellationToken)
    {
        foreach (LayerStatus layer in layers)
            layer.Announce();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using SemaphoreSlim places = new(DownloadsAtOnce);
        Task[] downloads = [.. source.Layers.Zip(layers, FetchOneAsync)];
        try
        {
            await Task.WhenAll(downloads).ConfigureAwait(false);
        }
        catch
        {
            // The failure that stopped the others, not their giving up.
            if (downloads.FirstOrDefault(static download => download.IsFaulted) is { } failed)
                await failed.ConfigureAwait(false);
            throw;
        }

        async Task FetchOneAsync(Descriptor blob, LayerStatus status)
        {
            try
            {
                if (places.CurrentCount == 0)
                    status.Waiting();
                await places.WaitAsync(stop.Token).ConfigureAwait(false);
                try
                {
                    await FetchAsync(source, blob, status, hold, stop.Token).ConfigureAwait(false);
                }
                finally
                {
                    places.Release();
                }
            }
            catch
            {
                await stop.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private async Task FetchAsync(SourceImage source, Descriptor blob, LayerStatus? status, Uses.Hold hold, CancellationToken cancellationToken)
    {
        hold.Add(blob.Digest);
        string path = _folder.BlobPath(blob.Digest);
        using IDisposable turn = await _work.TakeAsync(blob.Digest, cancellationToken).ConfigureAwait(false);
        if (File.Exists(path))
        {
            status?.AlreadyExists();
            return;
        }

        string partial = _folder.PartialPath(blob.Digest);
        await source.FetchAsync(blob, partial, status, cancellationToken).ConfigureAwait(false);
        status?.Downloaded();
        StoreFolder.Publish(partial, path);
    }
}
