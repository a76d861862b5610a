using System.Security.Cryptography;
using Candela.Images.Layers;
using Candela.Images.Storage;

namespace Candela.Images.Compression;

/// <summary>Counts and hashes what is read through it, and refuses more than a budget: a decompression bomb ends here.</summary>
internal sealed class MeasuredStream(Stream input, long budget, CancellationToken cancellationToken) : ReadOnlyStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Bytes read so far.</summary>
    public long Count { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        cancellationToken.ThrowIfCancellationRequested();
        int read;
        try
        {
            read = input.Read(buffer);
        }
        catch (InvalidDataException e)
        {
            throw LayerException.Invalid("the compressed data is damaged", e);
        }

        Count += read;
        if (Count > budget)
            throw LayerException.Invalid($"more than the {budget} bytes allowed, uncompressed");
        _hash.AppendData(buffer[..read]);
        return read;
    }

    /// <summary>Reads what is left and gives the digest of all.</summary>
    public string Finish()
    {
        byte[] buffer = new byte[64 << 10];
        while (Read(buffer) > 0)
        {
        }

        return Digests.Format(_hash.GetCurrentHash());
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
            input.Dispose();
        }

        base.Dispose(disposing);
    }
}
