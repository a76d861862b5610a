using System.Text.Json;
using Candela.Images.Compression;
using Candela.Images.Layers;
using Candela.Images.Naming;
using Candela.Images.Registry;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images.Saving;

/// <summary>
/// Writes images as Docker 25 and later save them: one tar that is both a docker-archive (<c>manifest.json</c>) and an OCI layout
/// (<c>index.json</c>). Layers go uncompressed, under their diff ids, so that equal images make equal archives wherever they came from.
/// </summary>
internal sealed class ArchiveWriter(StoreFolder folder, Stream output) : IDisposable
{
    private const string BlobFolder = "blobs/sha256/";
    private const int FileMode = 420; // 0644
    private const int FolderMode = 493; // 0755
    private const int ChunkBytes = 256 << 10;

    private readonly MemoryStream _head = new();
    private readonly HashSet<string> _written = new(StringComparer.Ordinal);
    private readonly byte[] _chunk = new byte[ChunkBytes];

    /// <summary>Writes the whole archive.</summary>
    /// <param name="images">The images with their names; their blobs are held by the caller.</param>
    /// <param name="cancellationToken">Gives up in the middle.</param>
    public async Task WriteAsync(IReadOnlyList<(string Id, StoredImage Image, IReadOnlyList<ImageReference> Names)> images, CancellationToken cancellationToken)
    {
        await WriteFolderAsync("blobs/", cancellationToken).ConfigureAwait(false);
        await WriteFolderAsync(BlobFolder, cancellationToken).ConfigureAwait(false);
        List<ArchiveEntry> entries = [];
        List<ArchiveDescriptor> manifests = [];
        SortedDictionary<string, SortedDictionary<string, string>> repositories = new(StringComparer.Ordinal);
        foreach ((string id, StoredImage image, IReadOnlyList<ImageReference> names) in images)
        {
            ArchiveDescriptor[] layers = [.. image.Layers.Select(static layer => new ArchiveDescriptor(MediaTypes.OciLayer, layer.DiffId, layer.UncompressedBytes))];
            foreach (StoredLayer layer in image.Layers)
                await WriteLayerAsync(layer, cancellationToken).ConfigureAwait(false);
            byte[] configuration = await File.ReadAllBytesAsync(folder.BlobPath(id), cancellationToken).ConfigureAwait(false);
            await WriteBlobAsync(id, configuration, cancellationToken).ConfigureAwait(false);

            ArchiveDescriptor config = new(MediaTypes.OciConfiguration, id, configuration.Length);
            byte[] manifest = JsonSerializer.SerializeToUtf8Bytes(new ArchiveManifest(2, MediaTypes.OciManifest, config, layers), LayoutJson.Default.ArchiveManifest);
            string digest = Digests.Of(manifest);
            await WriteBlobAsync(digest, manifest, cancellationToken).ConfigureAwait(false);

            manifests.AddRange(Describe(digest, manifest.Length, names));
            entries.Add(Entry(config, layers, names));
            foreach (ImageReference name in names)
            {
                if (!repositories.TryGetValue(name.FamiliarName, out SortedDictionary<string, string>? tags))
                    repositories.Add(name.FamiliarName, tags = new SortedDictionary<string, string>(StringComparer.Ordinal));
                tags[name.Tag!] = Digests.Hex(layers is [.., var top] ? top.Digest : id);
            }
        }

        await WriteFileAsync("index.json", JsonSerializer.SerializeToUtf8Bytes(new ArchiveIndex(2, MediaTypes.OciIndex, manifests), LayoutJson.Default.ArchiveIndex), cancellationToken).ConfigureAwait(false);
        await WriteFileAsync("manifest.json", JsonSerializer.SerializeToUtf8Bytes([.. entries], DockerArchiveJson.Default.ArchiveEntryArray), cancellationToken).ConfigureAwait(false);
        await WriteFileAsync("oci-layout", JsonSerializer.SerializeToUtf8Bytes(new ArchiveLayout("1.0.0"), LayoutJson.Default.ArchiveLayout), cancellationToken).ConfigureAwait(false);
        if (repositories.Count > 0)
            await WriteFileAsync("repositories", JsonSerializer.SerializeToUtf8Bytes(repositories, LayoutJson.Default.SortedDictionaryStringSortedDictionaryStringString), cancellationToken).ConfigureAwait(false);
        new TarWriter(_head).End();
        await SendHeadAsync(cancellationToken).ConfigureAwait(false);
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _head.Dispose();

    /// <summary>One element for each name, as containerd's importer reads them.</summary>
    private static IEnumerable<ArchiveDescriptor> Describe(string digest, long length, IReadOnlyList<ImageReference> names)
    {
        ArchiveDescriptor bare = new(MediaTypes.OciManifest, digest, length, null, new ArchivePlatform("amd64", "linux"));
        if (names.Count == 0)
            return [bare];
        return names.Select(name => bare with
        {
            Annotations = new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                ["io.containerd.image.name"] = name.ToString(),
                ["org.opencontainers.image.ref.name"] = name.Tag!,
            },
        });
    }

    private static ArchiveEntry Entry(ArchiveDescriptor config, ArchiveDescriptor[] layers, IReadOnlyList<ImageReference> names)
    {
        SortedDictionary<string, ArchiveDescriptor> sources = new(StringComparer.Ordinal);
        foreach (ArchiveDescriptor layer in layers)
            sources[layer.Digest] = layer;
        return new ArchiveEntry(
            BlobFolder + Digests.Hex(config.Digest),
            names.Count == 0 ? null : [.. names.Select(static name => name.Familiar)],
            [.. layers.Select(static layer => BlobFolder + Digests.Hex(layer.Digest))],
            sources);
    }

    private async Task WriteLayerAsync(StoredLayer layer, CancellationToken cancellationToken)
    {
        if (!_written.Add(layer.DiffId))
            return;
        await WriteHeadAsync(BlobFolder + Digests.Hex(layer.DiffId), layer.UncompressedBytes, cancellationToken).ConfigureAwait(false);
        using Stream content = Decompression.OpenFile(folder.BlobPath(layer.Digest));
        long left = layer.UncompressedBytes;
        for (int read; (read = content.Read(_chunk)) > 0; left -= read)
        {
            if (read > left)
                break;
            await output.WriteAsync(_chunk.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }

        if (left != 0)
            throw new CandelaException(ErrorCode.Internal, $"the blob of layer {layer.DiffId} is damaged: remove the images that have it and load them again");
        await PadAsync(layer.UncompressedBytes, cancellationToken).ConfigureAwait(false);
    }

    private Task WriteBlobAsync(string digest, byte[] content, CancellationToken cancellationToken) =>
        _written.Add(digest) ? WriteFileAsync(BlobFolder + Digests.Hex(digest), content, cancellationToken) : Task.CompletedTask;

    private async Task WriteFileAsync(string name, byte[] content, CancellationToken cancellationToken)
    {
        await WriteHeadAsync(name, content.Length, cancellationToken).ConfigureAwait(false);
        await output.WriteAsync(content, cancellationToken).ConfigureAwait(false);
        await PadAsync(content.Length, cancellationToken).ConfigureAwait(false);
    }

    private Task WriteFolderAsync(string name, CancellationToken cancellationToken)
    {
        new TarWriter(_head).Add(new TarEntry { Kind = TarKind.Folder, Name = name, Mode = FolderMode });
        return SendHeadAsync(cancellationToken);
    }

    private Task WriteHeadAsync(string name, long size, CancellationToken cancellationToken)
    {
        new TarWriter(_head).Add(new TarEntry { Kind = TarKind.Regular, Name = name, Mode = FileMode, Size = size });
        return SendHeadAsync(cancellationToken);
    }

    /// <summary>A request's answer takes no synchronous writes, which headers are made by.</summary>
    private async Task SendHeadAsync(CancellationToken cancellationToken)
    {
        await output.WriteAsync(_head.GetBuffer().AsMemory(0, (int)_head.Length), cancellationToken).ConfigureAwait(false);
        _head.SetLength(0);
    }

    private async Task PadAsync(long size, CancellationToken cancellationToken)
    {
        int padding = (int)(-size & (TarReader.BlockSize - 1));
        _chunk.AsSpan(0, padding).Clear();
        await output.WriteAsync(_chunk.AsMemory(0, padding), cancellationToken).ConfigureAwait(false);
    }
}
