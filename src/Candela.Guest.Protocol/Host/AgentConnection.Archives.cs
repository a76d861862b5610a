using System.IO.Pipelines;

namespace Candela.Guest.Protocol.Host;

public sealed partial class AgentConnection
{
    private static readonly TimeSpan ArchiveIdleDeadline = TimeSpan.FromSeconds(60);

    /// <inheritdoc/>
    public async Task<ArchiveStat> StatAsync(string path, CancellationToken cancellationToken) =>
        Parse(await RequestAsync(FrameType.Stat, 0, 0, 0, PathMessage(path), cancellationToken), ReplyCodec.ReadArchiveStat);

    /// <inheritdoc/>
    public async Task<ArchiveStat> ReadArchiveAsync(string path, Stream destination, CancellationToken cancellationToken) =>
        Parse(await DownloadAsync(FrameType.ReadArchive, 0, PathMessage(path), destination, cancellationToken), ReplyCodec.ReadArchiveStat);

    /// <inheritdoc/>
    public Task ReadTreeAsync(GuestTree tree, Stream destination, CancellationToken cancellationToken) =>
        DownloadAsync(FrameType.ReadTree, (byte)tree, default, destination, cancellationToken);

    /// <summary>Takes a stream of the guest to its end; gives the reply that came before it.</summary>
    private async Task<byte[]> DownloadAsync(FrameType type, byte flags, ReadOnlyMemory<byte> message, Stream destination, CancellationToken cancellationToken)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        var request = Begin(new PendingRequest { Down = pipe, DownCreditBytes = ProtocolLimits.ArchiveWindowBytes }, out var number);
        var finished = false;
        try
        {
            using var idle = new CancellationTokenSource(ArchiveIdleDeadline, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, cancellationToken);
            try
            {
                await SendAsync(new FrameHeader(type, flags, 0, 0, number, 0), message, either.Token).WaitAsync(either.Token);
                var reply = await request.Reply.WaitAsync(either.Token);
                while (true)
                {
                    var read = await pipe.Reader.ReadAsync(either.Token);
                    foreach (var part in read.Buffer)
                        await destination.WriteAsync(part, cancellationToken);
                    var count = (int)read.Buffer.Length;
                    pipe.Reader.AdvanceTo(read.Buffer.End);
                    if (read.IsCompleted)
                        break;
                    idle.CancelAfter(ArchiveIdleDeadline);
                    Interlocked.Add(ref request.DownCreditBytes, count);
                    await SendAsync(new FrameHeader(FrameType.ArchiveCredit, 0, 0, 0, number, (ulong)count), default, either.Token);
                }
                finished = true;
                return reply;
            }
            catch (OperationCanceledException) when (idle.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"The guest sent no archive data for {ArchiveIdleDeadline.TotalSeconds} s.");
            }
        }
        catch (AgentException)
        {
            finished = true;
            throw;
        }
        finally
        {
            await EndArchiveAsync(number, finished);
        }
    }

    /// <inheritdoc/>
    public async Task WriteArchiveAsync(string path, Stream tar, bool noOverwriteDirNonDir, CancellationToken cancellationToken)
    {
        var credit = new Credit(ProtocolLimits.ArchiveWindowBytes, ProtocolLimits.ArchiveWindowBytes);
        var request = Begin(new PendingRequest { Up = credit }, out var number);
        var finished = false;
        try
        {
            using var idle = new CancellationTokenSource(ArchiveIdleDeadline, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, cancellationToken);
            try
            {
                var flags = noOverwriteDirNonDir ? (byte)1 : (byte)0;
                await SendAsync(new FrameHeader(FrameType.WriteArchive, flags, 0, 0, number, 0), PathMessage(path), either.Token).WaitAsync(either.Token);
                await SendArchiveAsync(request, credit, number, tar, idle, either.Token);
                await request.Reply.WaitAsync(either.Token);
                finished = true;
            }
            catch (OperationCanceledException) when (idle.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"The guest took no archive data for {ArchiveIdleDeadline.TotalSeconds} s.");
            }
        }
        catch (AgentException)
        {
            finished = true;
            throw;
        }
        finally
        {
            await EndArchiveAsync(number, finished);
        }
    }

    private async Task SendArchiveAsync(
        PendingRequest request, Credit credit, uint number, Stream tar, CancellationTokenSource idle, CancellationToken cancellationToken)
    {
        var buffer = new byte[ProtocolLimits.DataFrameBytes];
        while (!request.IsReplied)
        {
            var read = await tar.ReadAsync(buffer, cancellationToken);
            for (var at = 0; at < read;)
            {
                var count = await credit.TakeAsync(read - at, cancellationToken);
                await SendAsync(new FrameHeader(FrameType.ArchiveUp, 0, 0, 0, number, 0), buffer.AsMemory(at, count), cancellationToken);
                at += count;
            }
            idle.CancelAfter(ArchiveIdleDeadline);
            if (read == 0)
            {
                await SendAsync(new FrameHeader(FrameType.ArchiveUp, 0, 0, 0, number, 0), default, cancellationToken);
                return;
            }
        }
    }

    private async Task EndArchiveAsync(uint number, bool finished)
    {
        _pending.TryRemove(number, out _);
        if (!finished && Volatile.Read(ref _failure) is null)
            await SendAsync(new FrameHeader(FrameType.Cancel, 0, 0, 0, number, 0), default, CancellationToken.None).WaitAsync(RequestDeadline, _time);
    }

    private static ReadOnlyMemory<byte> PathMessage(string path)
    {
        var writer = new MessageWriter();
        writer.Text(path);
        return writer.WrittenMemory;
    }
}
