using System.Net;
using System.Net.Http.Headers;

namespace Candela.Images.Registry;

/// <summary>A part of a file as a request's body.</summary>
internal sealed class FileRangeContent : HttpContent
{
    private const int PieceBytes = 128 << 10;

    private readonly string _path;
    private readonly long _start;
    private readonly long _length;
    private readonly IProgress<long>? _progress;

    /// <summary>Opens nothing yet.</summary>
    /// <param name="path">The file.</param>
    /// <param name="start">First byte.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="progress">Told the bytes of the file that have been sent in all.</param>
    public FileRangeContent(string path, long start, long length, IProgress<long>? progress)
    {
        _path = path;
        _start = start;
        _length = length;
        _progress = progress;
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        if (length > 0) // distribution-spec, pushing a blob in chunks: not in HTTP's own form
            Headers.TryAddWithoutValidation("Content-Range", $"{start}-{start + length - 1}");
    }

    /// <summary>A piece has gone out.</summary>
    public event Action? Sent;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using FileStream file = new(_path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        file.Position = _start;
        byte[] piece = new byte[PieceBytes];
        for (long left = _length; left > 0;)
        {
            int read = await file.ReadAsync(piece.AsMemory(0, (int)Math.Min(left, PieceBytes)), cancellationToken).ConfigureAwait(false);
            if (read == 0)
                throw new EndOfStreamException($"{_path} is shorter than {_start + _length} bytes");
            await stream.WriteAsync(piece.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            left -= read;
            _progress?.Report(_start + _length - left);
            Sent?.Invoke();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }
}
