using System.Buffers.Binary;
using System.Globalization;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Grpc;

/// <summary>
/// One call of gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) with one request message and any number of
/// responses, without compression. No gRPC package for ASP.NET Core is to be had (docs/dependencies.md).
/// </summary>
internal sealed class GrpcCall(HttpContext context)
{
    /// <summary>Largest request message, bytes.</summary>
    public const int RequestBytes = 64 * 1024;

    private const string ContentType = "application/grpc";
    private const int PrefixBytes = 5;

    private CancellationToken _cancellation = context.RequestAborted;
    private bool _isOverdue;

    /// <summary>Ends when the caller is gone, or its deadline over.</summary>
    public CancellationToken Cancellation => _cancellation;

    /// <summary>Carries a call out: reads nothing before <paramref name="handle"/> does, writes the status at the end.</summary>
    public static async Task RunAsync(HttpContext context, Func<GrpcCall, Task> handle)
    {
        if (!HttpMethods.IsPost(context.Request.Method) || context.Request.ContentType is not { } type || !IsGrpc(type))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        var call = new GrpcCall(context);
        context.Response.ContentType = ContentType;
        try
        {
            using var deadline = call.Deadline();
            await call.HandleAsync(handle);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
    }

    /// <summary>Metadata that the caller sent; null: none of this name.</summary>
    public string? Metadata(string name) => context.Request.Headers.TryGetValue(name, out var values) && values.Count == 1 ? values[0] : null;

    /// <summary>Reads the one message of the request.</summary>
    /// <exception cref="GrpcException">It is too large, compressed, not alone, or not of this type.</exception>
    public async Task<T> ReadAsync<T>(MessageParser<T> parser)
        where T : IMessage<T>
    {
        var body = context.Request.Body;
        var prefix = new byte[PrefixBytes];
        if (await body.ReadAtLeastAsync(prefix, PrefixBytes, throwOnEndOfStream: false, _cancellation) < PrefixBytes)
            throw new GrpcException(GrpcStatus.Internal, "the request holds no message");
        if (prefix[0] != 0)
            throw new GrpcException(GrpcStatus.Unimplemented, "compressed messages are not read here");
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1));
        if (length > RequestBytes)
            throw new GrpcException(GrpcStatus.ResourceExhausted, $"a request has at most {RequestBytes} bytes");
        var message = new byte[length];
        if (await body.ReadAtLeastAsync(message, message.Length, throwOnEndOfStream: false, _cancellation) < message.Length)
            throw new GrpcException(GrpcStatus.Internal, "the request ends within its message");
        if (await body.ReadAsync(prefix.AsMemory(0, 1), _cancellation) != 0)
            throw new GrpcException(GrpcStatus.Unimplemented, "a request holds one message");
        try
        {
            return parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new GrpcException(GrpcStatus.Internal, $"the request's message cannot be read: {e.Message}");
        }
    }

    /// <summary>Writes a message and sends it.</summary>
    public async Task WriteAsync(IMessage message)
    {
        var length = message.CalculateSize();
        var writer = context.Response.BodyWriter;
        var span = writer.GetSpan(PrefixBytes + length);
        span[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], (uint)length);
        message.WriteTo(span.Slice(PrefixBytes, length));
        writer.Advance(PrefixBytes + length);
        await writer.FlushAsync(_cancellation);
    }

    private static bool IsGrpc(string contentType) =>
        contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';');

    private async Task HandleAsync(Func<GrpcCall, Task> handle)
    {
        try
        {
            await handle(this);
            End(GrpcStatus.Ok, null);
        }
        catch (GrpcException e)
        {
            End(e.Status, e.Message);
        }
        catch (OperationCanceledException) when (_isOverdue)
        {
            End(GrpcStatus.DeadlineExceeded, "the call's deadline is over");
        }
    }

    /// <summary>The caller's deadline (<c>grpc-timeout</c>): at most 8 digits and a unit.</summary>
    private CancellationTokenSource? Deadline()
    {
        if (Metadata("grpc-timeout") is not { Length: >= 2 and <= 9 } text || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return null;
        var time = text[^1] switch
        {
            'H' => TimeSpan.FromHours(value),
            'M' => TimeSpan.FromMinutes(value),
            'S' => TimeSpan.FromSeconds(value),
            'm' => TimeSpan.FromMilliseconds(value),
            'u' => TimeSpan.FromMicroseconds(value),
            'n' => TimeSpan.FromTicks(value / 100),
            _ => Timeout.InfiniteTimeSpan,
        };
        if (time < TimeSpan.Zero || time > TimeSpan.FromDays(24))
            return null;
        var source = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        source.Token.Register(() => _isOverdue = !context.RequestAborted.IsCancellationRequested);
        source.CancelAfter(time);
        _cancellation = source.Token;
        return source;
    }

    private void End(GrpcStatus status, string? message)
    {
        context.Response.AppendTrailer("grpc-status", ((int)status).ToString(CultureInfo.InvariantCulture));
        if (message is not null)
            context.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(message));
    }
}
