using System.Net.Sockets;
using Candela.Images.Compression;
using Candela.Images.Layers;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images.BlockImages;

/// <summary>A layer to build from.</summary>
/// <param name="Path">Its blob.</param>
/// <param name="DiffId">What the uncompressed tar must hash to; null: not known yet.</param>
internal sealed record LayerSource(string Path, string? DiffId);

/// <summary>A layer as it was found.</summary>
/// <param name="DiffId">Digest of the uncompressed tar.</param>
/// <param name="Bytes">Length of the uncompressed tar.</param>
internal sealed record LayerMeasure(string DiffId, long Bytes);

/// <summary>Makes block images: merges an image's layers into one tar stream, which sqfstar turns into squashfs. Nothing is unpacked.</summary>
internal sealed class BlockImageBuilder(StoreFolder folder, ImageLimits limits)
{
    private const long ProgressBytes = 4 << 20;

    /// <summary>First of the user ids that sqfstar may run as; outside of what distributions assign.</summary>
    private const uint FirstSandboxId = 64_321;

    /// <summary>Verifies the layers and makes their block image.</summary>
    /// <param name="layers">Layers, lowest first.</param>
    /// <param name="progress">Told the layer's index and how much of its blob is read.</param>
    /// <param name="cancellationToken">Gives up; nothing is left.</param>
    /// <returns>What the layers are.</returns>
    /// <exception cref="CandelaException">ImageInvalid, or ResourceExhausted when the disk is full.</exception>
    public async Task<IReadOnlyList<LayerMeasure>> BuildAsync(IReadOnlyList<LayerSource> layers, Action<int, long>? progress, CancellationToken cancellationToken)
    {
        if (layers.Count > limits.Layers)
            throw new CandelaException(ErrorCode.ImageInvalid, $"the image has {layers.Count} layers; at most {limits.Layers} are accepted");
        LayerTree tree = new(limits);
        List<LayerMeasure> measures = [];
        foreach (LayerSource layer in layers)
            measures.Add(Index(tree, layer, limits.UncompressedBytes - measures.Sum(static m => m.Bytes), done => progress?.Invoke(measures.Count, done), cancellationToken));

        string final = folder.BlockPath(Digests.ChainId([.. measures.Select(static m => m.DiffId)]));
        string temporary = folder.NewTemporaryPath();
        try
        {
            await WriteAsync(tree, layers, temporary, cancellationToken).ConfigureAwait(false);
            StoreFolder.Publish(temporary, final);
        }
        catch (IOException e) when (LinuxFile.IsDiskFull(e))
        {
            throw LinuxFile.DiskFull(folder.Root, e);
        }
        catch (IOException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        finally
        {
            File.Delete(temporary);
        }

        return measures;
    }

    /// <summary>Measures a layer of which no digest is known: the end-of-archive mark has to show that it is whole.</summary>
    public LayerMeasure Measure(string path, CancellationToken cancellationToken)
    {
        using MeasuredStream content = new(Decompression.OpenFile(path), limits.UncompressedBytes, cancellationToken);
        TarReader reader = new(content, limits);
        while (reader.Next() is not null)
        {
        }

        if (!reader.HasEndMark)
            throw LayerException.Invalid("the tar is truncated: it has no end mark");
        return new LayerMeasure(content.Finish(), content.Count);
    }

    private LayerMeasure Index(LayerTree tree, LayerSource layer, long budget, Action<long> progress, CancellationToken cancellationToken)
    {
        using FileStream file = File.OpenRead(layer.Path);
        using MeasuredStream content = new(Decompression.Open(file), budget, cancellationToken);
        TarReader reader = new(content, limits);
        tree.BeginLayer();
        long reported = 0;
        while (reader.Next() is { } entry)
        {
            tree.Add(entry);
            if (content.Count - reported < ProgressBytes)
                continue;
            reported = content.Count;
            progress(file.Position);
        }

        string diffId = content.Finish();
        if (layer.DiffId is not null && layer.DiffId != diffId)
            throw LayerException.Invalid($"its content is {diffId}, the image's configuration says {layer.DiffId}");
        return new LayerMeasure(diffId, content.Count);
    }

    private async Task WriteAsync(LayerTree tree, IReadOnlyList<LayerSource> layers, string output, CancellationToken cancellationToken)
    {
        uint user = FirstSandboxId;
        while (tree.HasOwner(user) || tree.HasOwner(user + 1))
            user += 2;
        File.Create(output).Dispose();
        LinuxFile.ChangeOwner(output, user, user + 1);

        TarEntry root = tree.Root.Inode.Entry;
        using (SquashfsProcess sqfstar = new(output, user, user + 1, root.Mode, cancellationToken))
        {
            try
            {
                WriteTar(tree, layers, sqfstar.Input, cancellationToken);
            }
            catch (IOException e) when (e.InnerException is SocketException && !cancellationToken.IsCancellationRequested)
            {
                // sqfstar has ended; its input is a socket. It says why.
                await sqfstar.CompleteAsync(cancellationToken).ConfigureAwait(false);
                throw;
            }

            cancellationToken.ThrowIfCancellationRequested();
            await sqfstar.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }

        LinuxFile.ChangeOwner(output, 0, 0);
        using (FileStream file = new(output, FileMode.Open, FileAccess.ReadWrite))
            SquashfsRoot.Set(file, user, user + 1, root.UserId, root.GroupId, (uint)Math.Clamp(root.ModifiedSeconds, 0, uint.MaxValue));
        File.SetUnixFileMode(output, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }

    private void WriteTar(LayerTree tree, IReadOnlyList<LayerSource> layers, Stream output, CancellationToken cancellationToken)
    {
        BufferedStream buffered = new(output, 256 << 10);
        TarWriter writer = new(buffered);
        MergedTar merged = new(tree, writer, limits);
        merged.WriteFolders();
        foreach (LayerSource layer in layers)
        {
            using Stream content = Decompression.OpenFile(layer.Path);
            merged.WriteLayer(content, cancellationToken);
        }

        writer.End();
    }
}
