using System.IO.Pipelines;

namespace Candela.Guest.Protocol.Host;

/// <summary>The host's end of a connection that a process of the container has made to its workload socket.</summary>
internal sealed class GuestConnection(Func<int, Task> grant, Func<ReadOnlyMemory<byte>, Task> send, Func<Task> close) : IDuplexPipe
{
    // Bounded by what the guest is granted, so that the channel's reading loop never waits.
    private readonly Pipe _received = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly Pipe _input = new(new PipeOptions(
        pauseWriterThreshold: ProtocolLimits.ConnectionWindowBytes, resumeWriterThreshold: ProtocolLimits.ConnectionWindowBytes / 2, useSynchronizationContext: false));

    private readonly Pipe _output = new(new PipeOptions(
        pauseWriterThreshold: ProtocolLimits.ConnectionWindowBytes, resumeWriterThreshold: ProtocolLimits.ConnectionWindowBytes / 2, useSynchronizationContext: false));

    private readonly Credit _credit = new(ProtocolLimits.ConnectionWindowBytes, ProtocolLimits.ConnectionWindowBytes);
    private readonly Lock _gate = new();
    private int _receivable = ProtocolLimits.ConnectionWindowBytes;
    private bool _hasInputEnded;

    /// <inheritdoc/>
    public PipeReader Input => _input.Reader;

    /// <inheritdoc/>
    public PipeWriter Output => _output.Writer;

    /// <summary>Lets bytes flow.</summary>
    public void Begin()
    {
        _ = PassInputAsync();
        _ = PassOutputAsync();
    }

    /// <summary>What the process has sent; empty: it sends no more. False: more than it was granted.</summary>
    public bool Receive(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (_hasInputEnded)
                return true;
            if (Interlocked.Add(ref _receivable, -data.Length) < 0)
                return false;
            if (data.Length == 0)
                EndInput(null);
            else
                _ = _received.Writer.WriteAsync(data.ToArray()).AsTask();
            return true;
        }
    }

    /// <summary>The process has taken what was sent. False: more than there was.</summary>
    public bool Grant(ulong bytes) => _credit.Grant(bytes);

    /// <summary>The other end is gone.</summary>
    public void End(Exception? reason)
    {
        lock (_gate)
            EndInput(reason);
        _credit.End(reason ?? new IOException("The process has closed the connection."));
        _output.Reader.CancelPendingRead();
    }

    private void EndInput(Exception? reason)
    {
        if (_hasInputEnded)
            return;
        _hasInputEnded = true;
        _received.Writer.Complete(reason);
    }

    private async Task PassInputAsync()
    {
        Exception? failure = null;
        try
        {
            while (true)
            {
                var read = await _received.Reader.ReadAsync();
                foreach (var part in read.Buffer)
                {
                    if ((await _input.Writer.WriteAsync(part)).IsCompleted)
                        return;
                }
                var count = (int)read.Buffer.Length;
                _received.Reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return;
                Interlocked.Add(ref _receivable, count);
                await grant(count);
            }
        }
        catch (Exception reason)
        {
            failure = reason;
        }
        finally
        {
            await _input.Writer.CompleteAsync(failure);
        }
    }

    private async Task PassOutputAsync()
    {
        try
        {
            while (true)
            {
                var read = await _output.Reader.ReadAsync();
                foreach (var part in read.Buffer)
                {
                    for (var rest = part; rest.Length > 0;)
                    {
                        var count = await _credit.TakeAsync(rest.Length, CancellationToken.None);
                        await send(rest[..count]);
                        rest = rest[count..];
                    }
                }
                _output.Reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted || read.IsCanceled)
                    break;
            }
            await close();
        }
        catch (Exception)
        {
            // The process or the channel is gone: nothing can be sent any more.
        }
        finally
        {
            await _output.Reader.CompleteAsync();
        }
    }
}
