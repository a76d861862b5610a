using System.Buffers.Binary;
using System.Text;

namespace Candela.Guest.Protocol.Host;

public sealed partial class AgentConnection
{
    private const int ErrorTextMaxBytes = 16 * 1024;

    // A reply in parts: parts of one message follow each other, so one is enough.
    private MemoryStream? _parts;
    private uint _partsRequest;

    private async ValueTask HandleAsync(FrameHeader header, ReadOnlyMemory<byte> payload)
    {
        switch (header.Type)
        {
            case FrameType.Output:
                var stream = (OutputStream)header.Flags;
                if (stream is not (OutputStream.Stdout or OutputStream.Stderr) || header.Position > long.MaxValue)
                    throw new AgentProtocolException("The guest sent output of an impossible stream or position.");
                await _events.OnOutputAsync(header.Process, stream, header.Position, payload);
                break;
            case FrameType.Exit:
                var exit = ReadExit(payload.Span);
                if (_inputCredits.TryGetValue(header.Process, out var ended))
                    ended.End(NoReader());
                await _events.OnExitAsync(header.Process, exit);
                break;
            case FrameType.Reply:
                HandleReply(header, payload.Span);
                break;
            case FrameType.Error:
                if (_pending.TryGetValue(header.Request, out var refused))
                    refused.Fail(ReadError(payload.Span));
                break;
            case FrameType.InputCredit:
                // After a reconnect the guest tells its room: a process that this connection has not started begins with none.
                if (!InputOf(header.Process, 0).Grant(header.Position))
                    throw new AgentProtocolException("The guest granted more input than its window.");
                break;
            case FrameType.InputGone:
                if (_inputCredits.TryGetValue(header.Process, out var gone))
                    gone.End(NoReader());
                break;
            case FrameType.ArchiveDown:
                await HandleArchiveDownAsync(header, payload);
                break;
            case FrameType.ArchiveUpCredit:
                if (_pending.TryGetValue(header.Request, out var upload) && (upload.Up is not { } up || !up.Grant(header.Position)))
                    throw new AgentProtocolException("The guest granted more archive data than its window.");
                break;
            case FrameType.ConnectionOpened:
                OpenConnection(header.Process);
                break;
            case FrameType.ConnectionSent:
                if (_connections.TryGetValue(header.Process, out var sender) && !sender.Receive(payload.Span))
                    throw new AgentProtocolException("The guest sent more on a connection than its window.");
                break;
            case FrameType.ConnectionTaken:
                if (_connections.TryGetValue(header.Process, out var taker) && !taker.Grant(header.Position))
                    throw new AgentProtocolException("The guest granted more on a connection than its window.");
                break;
            case FrameType.ConnectionClosed:
                if (_connections.TryRemove(header.Process, out var closed))
                    closed.End(null);
                break;
            default:
                throw new AgentProtocolException($"The guest sent a frame of unknown type {(byte)header.Type}.");
        }
    }

    private void HandleReply(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (_parts is not null && _partsRequest != header.Request)
            throw new AgentProtocolException("The guest mixed the parts of two replies.");
        if (header.More || _parts is not null)
        {
            _parts ??= new MemoryStream();
            _partsRequest = header.Request;
            if (_parts.Length + payload.Length > ProtocolLimits.MessageBytes || (header.More && payload.Length == 0))
                throw new AgentProtocolException($"The guest sent a reply larger than {ProtocolLimits.MessageBytes} bytes, or an empty part.");
            _parts.Write(payload);
            if (header.More)
                return;
        }
        var whole = _parts?.ToArray() ?? payload.ToArray();
        _parts = null;
        if (_pending.TryGetValue(header.Request, out var request))
            request.Complete(whole);
    }

    private async ValueTask HandleArchiveDownAsync(FrameHeader header, ReadOnlyMemory<byte> payload)
    {
        if (!_pending.TryGetValue(header.Request, out var request))
            return;
        if (request.Down is not { } pipe || Interlocked.Add(ref request.DownCreditBytes, -payload.Length) < 0)
            throw new AgentProtocolException("The guest sent archive data that nobody asked for.");
        if (payload.Length == 0)
        {
            pipe.Writer.Complete();
            return;
        }
        // The pipe has no threshold of its own (the credit bounds it): this completes at once.
        await pipe.Writer.WriteAsync(payload);
    }

    private static ProcessExit ReadExit(ReadOnlySpan<byte> payload)
    {
        var reader = new MessageReader(payload);
        var exit = ReplyCodec.ReadExit(ref reader);
        reader.End();
        return exit;
    }

    private static AgentException ReadError(ReadOnlySpan<byte> payload)
    {
        if (payload.Length is < 2 or > ErrorTextMaxBytes)
            throw new AgentProtocolException("The guest sent a malformed error.");
        var code = (AgentError)BinaryPrimitives.ReadUInt16LittleEndian(payload);
        return new AgentException(Enum.IsDefined(code) ? code : AgentError.Failed, Encoding.UTF8.GetString(payload[2..]));
    }

    private static AgentException NoReader() => new(AgentError.Gone, "The process no longer reads its input.");

    private Credit InputOf(uint process, int availableBytes)
    {
        if (_inputCredits.Count > ProtocolLimits.ProcessCount)
            throw new AgentProtocolException($"The guest names more than {ProtocolLimits.ProcessCount} processes.");
        var credit = _inputCredits.GetOrAdd(process, static (_, available) => new Credit(ProtocolLimits.InputWindowBytes, available), availableBytes);
        if (Volatile.Read(ref _failure) is { } failure)
            credit.End(failure);
        return credit;
    }
}
