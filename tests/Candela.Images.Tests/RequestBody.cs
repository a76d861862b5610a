using Candela.Images.Compression;

namespace Candela.Images.Tests;

/// <summary>A stream as a request's body is: to be read asynchronously only, in pieces, and it may break off.</summary>
internal sealed class RequestBody(byte[] content, IOException? end = null) : ReadOnlyStream
{
    private const int PieceLength = 10_000;

    private int _position;

    public override int Read(Span<byte> buffer) => throw new InvalidOperationException("synchronous reading");

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        int count = Math.Min(Math.Min(buffer.Length, PieceLength), content.Length - _position);
        if (count == 0 && end is not null)
            throw end;
        content.AsMemory(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }
}
