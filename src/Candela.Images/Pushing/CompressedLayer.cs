using System.IO.Compression;
using System.Security.Cryptography;
using Candela.Images.Registry;
using Candela.Images.Storage;

namespace Candela.Images.Pushing;

/// <summary>How a layer's blob is packed, and how it is packed for a registry.</summary>
internal static class CompressedLayer
{
    private const int ChunkBytes = 256 << 10;

    /// <summary>Media type of a blob as it is, by its first bytes; null: an uncompressed tar, which schema 2 knows not.</summary>
    public static string? MediaTypeOf(string path, bool isOci)
    {
        Span<byte> magic = stackalloc byte[4];
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
        file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        return magic switch
        {
            [0x1F, 0x8B, ..] => isOci ? MediaTypes.OciGzipLayer : MediaTypes.DockerGzipLayer,
            [0x28, 0xB5, 0x2F, 0xFD] => MediaTypes.OciZstdLayer,
            _ => null,
        };
    }

    /// <summary>Packs a tar with gzip: the same bytes each time.</summary>
    public static async Task<PushedLayer> WriteAsync(string tar, string output, CancellationToken cancellationToken)
    {
        using FileStream input = new(tar, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        using FileStream file = new(output, FileMode.CreateNew, FileAccess.ReadWrite);
        using (GZipStream gzip = new(file, CompressionLevel.Fastest, leaveOpen: true))
            await input.CopyToAsync(gzip, ChunkBytes, cancellationToken).ConfigureAwait(false);
        file.Position = 0;
        return new PushedLayer(Digests.Format(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false)), file.Length);
    }
}
