using System.IO.Pipelines;
using Candela.Images.Compression;
using Candela.Images.Loading;
using Candela.Images.Pulling;
using Candela.Images.Storage;

namespace Candela.Images;

public sealed partial class ImageStore
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<Image>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        string scratch = _folder.NewTemporaryPath();
        Directory.CreateDirectory(scratch);
        try
        {
            ArchiveContent content = await UnpackAsync(archive, scratch, cancellationToken).ConfigureAwait(false);
            List<string> ids = [];
            foreach (ArchiveImage image in ArchiveReader.Read(content, _limits))
                ids.Add(await LoadAsync(image, progress, cancellationToken).ConfigureAwait(false));
            List<Image> images = [];
            foreach (string id in ids.Distinct())
                images.Add(await GetAsync(id, cancellationToken).ConfigureAwait(false));
            return images;
        }
        catch (Exception e)
        {
            await CollectGarbageAsync(CancellationToken.None).ConfigureAwait(false);
            if (LinuxFile.IsDiskFull(e))
                throw LinuxFile.DiskFull(_folder.Root, e);
            throw;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private async Task<string> LoadAsync(ArchiveImage image, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        using Uses.Hold hold = _uses.Open();
        LayerStatus[] layers = [.. image.Layers.Select(layer => new LayerStatus(progress, layer.Digest, layer.Length))];
        foreach (ArchiveMember layer in image.Layers)
        {
            hold.Add(layer.Digest);
            using IDisposable turn = await _work.TakeAsync(layer.Digest, cancellationToken).ConfigureAwait(false);
            if (File.Exists(layer.Path)) // moved already, when an earlier image has it too
                PublishBlob(layer.Path, layer.Digest);
        }

        string imageId = await AddImageAsync(
            image.Configuration,
            [.. image.Layers.Select(static layer => layer.Digest)],
            (index, id) => image.Names.Aggregate(index, (named, name) => named.WithTag(name.ToString(), id)),
            (layer, done) => layers[layer].Loading(done),
            hold,
            cancellationToken).ConfigureAwait(false);
        Raise("load", imageId, image.Names is [var first, ..] ? first.Familiar : "");
        return imageId;
    }

    /// <summary>Reads the archive's members into files of a folder; their names in the archive are never those of files.</summary>
    private async Task<ArchiveContent> UnpackAsync(Stream archive, string folder, CancellationToken cancellationToken)
    {
        // The tar is read synchronously, which a request's body does not allow.
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Pipe pipe = new();
        Task pump = PumpAsync(archive, pipe.Writer, stop.Token);
        try
        {
            return await Task.Run(
                () =>
                {
                    using MeasuredStream content = new(Decompression.Open(pipe.Reader.AsStream()), _limits.ArchiveBytes, stop.Token);
                    ArchiveContent members = ArchiveContent.Unpack(content, folder, _limits, stop.Token);
                    content.Finish();
                    return members;
                },
                stop.Token).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await pipe.Reader.CompleteAsync().ConfigureAwait(false);
            await pump.ConfigureAwait(false);
        }
    }

    /// <summary>Hands the stream on; a failure goes to whoever reads.</summary>
    private static async Task PumpAsync(Stream from, PipeWriter to, CancellationToken cancellationToken)
    {
        try
        {
            await from.CopyToAsync(to, cancellationToken).ConfigureAwait(false);
            await to.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await to.CompleteAsync(e).ConfigureAwait(false);
        }
    }
}
