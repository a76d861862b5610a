using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace Candela.State.Etcd;

/// <summary>The body of a call with one request message.</summary>
internal sealed class OneMessage : HttpContent
{
    private const int PrefixBytes = 5;

    private static readonly MediaTypeHeaderValue GrpcType = new("application/grpc");

    private readonly byte[] _bytes;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="message">The message.</param>
    /// <param name="isAll">The body ends with it; else when this is disposed.</param>
    public OneMessage(IMessage message, bool isAll)
    {
        var length = message.CalculateSize();
        _bytes = new byte[PrefixBytes + length];
        BinaryPrimitives.WriteUInt32BigEndian(_bytes.AsSpan(1), (uint)length);
        message.WriteTo(_bytes.AsSpan(PrefixBytes));
        Headers.ContentType = GrpcType;
        if (isAll)
            _ended.SetResult();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(_bytes, cancellationToken);
        await stream.FlushAsync(cancellationToken);
        await _ended.Task.WaitAsync(cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        _ended.TrySetResult();
        base.Dispose(disposing);
    }
}
