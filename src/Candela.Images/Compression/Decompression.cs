using System.IO.Compression;

namespace Candela.Images.Compression;

/// <summary>Finds out how a stream is compressed, by its first bytes, and decompresses it.</summary>
internal static class Decompression
{
    private const int MagicLength = 4;
    private const int BufferSize = 128 << 10;

    /// <summary>Opens a file that may be plain, gzip or zstd.</summary>
    public static Stream OpenFile(string path)
    {
        FileStream file = new(path, new FileStreamOptions { Options = FileOptions.SequentialScan, BufferSize = BufferSize });
        try
        {
            Stream opened = Open(file);
            if (opened is not PrefixedStream)
                return opened;
            file.Position = 0; // uncompressed: what is not wanted can be passed over
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Wraps a stream that may be plain, gzip or zstd. The result owns it.</summary>
    public static Stream Open(Stream input)
    {
        byte[] magic = new byte[MagicLength];
        int length = input.ReadAtLeast(magic, MagicLength, throwOnEndOfStream: false);
        PrefixedStream whole = new(magic.AsMemory(0, length), input);
        return magic switch
        {
            [0x1F, 0x8B, ..] => new BufferedStream(new GZipStream(whole, CompressionMode.Decompress), BufferSize),
            [0x28, 0xB5, 0x2F, 0xFD] => new ZstdStream(whole),
            _ => whole,
        };
    }
}
