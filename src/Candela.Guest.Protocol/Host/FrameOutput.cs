namespace Candela.Guest.Protocol.Host;

/// <summary>Sends frames one after another; a message larger than a frame goes as consecutive parts.</summary>
internal sealed class FrameOutput(Stream stream) : IDisposable
{
    private static readonly byte[] Filling = new byte[FrameHeader.FrameMaxBytes];
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly byte[] _buffer = new byte[FrameHeader.FrameMaxBytes];

    /// <summary>Completes whatever frame an earlier connection left unfinished.</summary>
    public ValueTask SendFillingAsync(CancellationToken cancellationToken) => stream.WriteAsync(Filling, cancellationToken);

    /// <summary>
    /// Sends a message. Cancellation only counts while waiting for the turn: a frame once begun is written whole,
    /// else the channel would be of no use any more.
    /// </summary>
    public async Task SendAsync(FrameHeader header, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            do
            {
                var part = payload[..Math.Min(payload.Length, ProtocolLimits.DataFrameBytes)];
                payload = payload[part.Length..];
                var more = payload.Length > 0 ? FrameHeader.MoreFlag : (byte)0;
                (header with { Length = part.Length, Flags = (byte)(header.Flags | more) }).Write(_buffer);
                part.Span.CopyTo(_buffer.AsSpan(FrameHeader.SizeBytes));
                _buffer[FrameHeader.SizeBytes + part.Length] = FrameHeader.Trailer;
                await stream.WriteAsync(_buffer.AsMemory(0, FrameHeader.SizeBytes + part.Length + 1), CancellationToken.None);
            }
            while (payload.Length > 0);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
