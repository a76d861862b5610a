using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Controller.Api.Streams;

/// <summary>
/// The protocol <c>candela-stream</c>, which a connection speaks after an HTTP upgrade: frames of one byte of kind, four bytes of
/// length (little-endian) and the payload, both ways.
/// </summary>
/// <param name="acceptsInput">Input frames feed the process; else they are passed over.</param>
/// <param name="resize">Takes a new size of the terminal, or null.</param>
internal sealed class CandelaStream(bool acceptsInput, Func<ushort, ushort, CancellationToken, Task>? resize = null) : IStreamFraming
{
    public const string Protocol = "candela-stream";

    /// <summary>Largest payload of a frame, bytes.</summary>
    public const int PayloadBytesMaximum = 1024 * 1024;

    /// <summary>What a client is told of a defect.</summary>
    public const string InternalErrorText = "internal error; the log of candelad says more";

    private const int HeaderBytes = 5;
    private const int ResizeBytes = 4;

    private readonly byte[] _header = new byte[HeaderBytes];
    private readonly byte[] _size = new byte[ResizeBytes];
    private int _headerFilled;
    private int _payloadTaken;

    private enum Kind : byte
    {
        Stdin = 0,
        Stdout = 1,
        Stderr = 2,
        Exit = 3,
        Resize = 4,
        StdinClose = 5,
        Error = 6,
    }

    /// <summary>The client asks for this protocol.</summary>
    public static bool IsAskedFor(HttpRequest request) =>
        request.Headers.Upgrade.Any(value => string.Equals(value, Protocol, StringComparison.OrdinalIgnoreCase));

    /// <summary>Leaves HTTP.</summary>
    public static Task<TakenConnection> OpenAsync(HttpContext context) => TakenConnection.OpenAsync(
        context, Encoding.ASCII.GetBytes($"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {Protocol}\r\n\r\n"));

    /// <summary>Output in frames of the allowed size.</summary>
    public static void WriteOutput(PipeWriter output, bool isStderr, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            var piece = data[..Math.Min(data.Length, PayloadBytesMaximum)];
            WriteFrame(output, isStderr ? Kind.Stderr : Kind.Stdout, piece);
            data = data[piece.Length..];
        }
    }

    /// <summary>The process's exit code; the last frame.</summary>
    public static void WriteExit(PipeWriter output, int exitCode)
    {
        Span<byte> payload = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(payload, exitCode);
        WriteFrame(output, Kind.Exit, payload);
    }

    /// <summary>Why the stream ends early; the last frame.</summary>
    public static void WriteError(PipeWriter output, string text)
    {
        var payload = Encoding.UTF8.GetBytes(text);
        WriteFrame(output, Kind.Error, payload.AsSpan(0, Math.Min(payload.Length, PayloadBytesMaximum)));
    }

    void IStreamFraming.WriteOutput(PipeWriter output, OutputChunk chunk) => WriteOutput(output, chunk.IsStderr, chunk.Data.Span);

    /// <inheritdoc/>
    public async ValueTask<InputEnd> ReceiveAsync(ReadOnlyMemory<byte> data, IProcessSession session, CancellationToken cancellationToken)
    {
        var end = InputEnd.None;
        while (!data.IsEmpty)
        {
            if (_headerFilled < HeaderBytes)
            {
                var count = Math.Min(HeaderBytes - _headerFilled, data.Length);
                data[..count].CopyTo(_header.AsMemory(_headerFilled));
                _headerFilled += count;
                data = data[count..];
                if (_headerFilled < HeaderBytes)
                    break;
                CheckHeader();
            }

            var length = (int)Length;
            var piece = data[..Math.Min(length - _payloadTaken, data.Length)];
            if (Frame == Kind.Stdin)
            {
                if (acceptsInput && !piece.IsEmpty)
                    await session.WriteInputAsync(piece, cancellationToken);
            }
            else
            {
                piece.CopyTo(_size.AsMemory(_payloadTaken));
            }

            _payloadTaken += piece.Length;
            data = data[piece.Length..];
            if (_payloadTaken < length)
                break;
            _headerFilled = _payloadTaken = 0;
            if (Frame == Kind.StdinClose && acceptsInput)
                end = InputEnd.Close;
            if (Frame == Kind.Resize && resize is not null)
                await resize(BinaryPrimitives.ReadUInt16LittleEndian(_size), BinaryPrimitives.ReadUInt16LittleEndian(_size.AsSpan(2)), cancellationToken);
        }

        return end;
    }

    private Kind Frame => (Kind)_header[0];

    private uint Length => BinaryPrimitives.ReadUInt32LittleEndian(_header.AsSpan(1));

    private void CheckHeader()
    {
        var valid = Frame switch
        {
            Kind.Stdin => Length <= PayloadBytesMaximum,
            Kind.Resize => Length == ResizeBytes,
            Kind.StdinClose => Length == 0,
            _ => false,
        };
        if (!valid)
            throw new CandelaException(ErrorCode.InvalidArgument, $"a client may not send a frame of kind {(byte)Frame} with {Length} bytes");
    }

    private static void WriteFrame(PipeWriter output, Kind kind, ReadOnlySpan<byte> payload)
    {
        var header = output.GetSpan(HeaderBytes);
        header[0] = (byte)kind;
        BinaryPrimitives.WriteUInt32LittleEndian(header[1..], (uint)payload.Length);
        output.Advance(HeaderBytes);
        output.Write(payload);
    }
}
