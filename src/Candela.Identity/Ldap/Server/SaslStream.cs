using System.Buffers.Binary;
using Candela.Identity.Ldap.Operations;

namespace Candela.Identity.Ldap.Server;

/// <summary>A connection below SASL's security layer: each message has its length before it (RFC 4422, 3.7). One read and one write at a time.</summary>
internal sealed class SaslStream(Stream inner, SaslGssapi layer) : Stream
{
    private const int LengthBytes = 4;

    /// <summary>What encryption adds to a message at most, bytes (RFC 4121, 4.2.4).</summary>
    private const int OverheadBytes = 256;

    private readonly byte[] _message = new byte[LdapLimits.LayerBytes];
    private ReadOnlyMemory<byte> _text;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_text.IsEmpty)
        {
            if (await inner.ReadAtLeastAsync(_message.AsMemory(0, LengthBytes), LengthBytes, throwOnEndOfStream: false, cancellationToken) < LengthBytes)
                return 0;
            uint length = BinaryPrimitives.ReadUInt32BigEndian(_message);
            if (length > _message.Length)
                throw new IOException("a message of the security layer is too large");
            await inner.ReadExactlyAsync(_message.AsMemory(0, (int)length), cancellationToken);
            _text = layer.Unwrap(_message.AsSpan(0, (int)length));
        }

        int count = Math.Min(buffer.Length, _text.Length);
        _text[..count].CopyTo(buffer);
        _text = _text[count..];
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var part = buffer[..Math.Min(buffer.Length, layer.LayerBytes - OverheadBytes)];
            var wrapped = layer.Wrap(part.Span);
            var message = new byte[LengthBytes + wrapped.Length];
            BinaryPrimitives.WriteInt32BigEndian(message, wrapped.Length);
            wrapped.CopyTo(message.AsMemory(LengthBytes));
            await inner.WriteAsync(message, cancellationToken);
            buffer = buffer[part.Length..];
        }
    }

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            layer.Dispose();
        }

        base.Dispose(disposing);
    }
}
