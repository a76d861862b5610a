using System.Threading.Channels;
using Candela.Model;

namespace Candela.Docker.Tests.Fake;

/// <summary>Output of a process: kept as a log, and carried to whoever is attached, at the pace of the slowest.</summary>
internal sealed class OutputHub
{
    private const int LogEntriesMaximum = 10_000;

    private readonly Lock _lock = new();
    private readonly List<LogEntry> _log = [];
    private readonly List<Channel<OutputChunk>> _subscribers = [];
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    public Channel<OutputChunk> Subscribe(bool logsFirst)
    {
        lock (_lock)
        {
            var channel = logsFirst ? Channel.CreateBounded<OutputChunk>(LogEntriesMaximum) : Channel.CreateBounded<OutputChunk>(16);
            if (logsFirst)
            {
                foreach (var entry in _log)
                    channel.Writer.TryWrite(new OutputChunk(entry.IsStderr, entry.Line));
            }

            if (_ended)
                channel.Writer.Complete();
            else
                _subscribers.Add(channel);
            return channel;
        }
    }

    public void Unsubscribe(Channel<OutputChunk> channel)
    {
        lock (_lock)
            _subscribers.Remove(channel);
        channel.Writer.TryComplete();
        while (channel.Reader.TryRead(out _))
        {
        }
    }

    public async Task PublishAsync(bool isStderr, ReadOnlyMemory<byte> data)
    {
        Channel<OutputChunk>[] subscribers;
        lock (_lock)
        {
            if (_log.Count < LogEntriesMaximum)
                AppendLines(isStderr, data);
            subscribers = [.. _subscribers];
            _grown.TrySetResult();
            _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        foreach (var subscriber in subscribers)
        {
            try
            {
                await subscriber.Writer.WriteAsync(new OutputChunk(isStderr, data));
            }
            catch (ChannelClosedException)
            {
                // It has left.
            }
        }
    }

    public void End()
    {
        lock (_lock)
        {
            _ended = true;
            foreach (var subscriber in _subscribers)
                subscriber.Writer.TryComplete();
            _subscribers.Clear();
            _grown.TrySetResult();
        }
    }

    public async IAsyncEnumerable<LogEntry> ReadLogAsync(
        LogOptions options, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var first = true;
        var at = 0;
        while (true)
        {
            List<LogEntry> entries;
            Task grown;
            bool ended;
            lock (_lock)
            {
                entries = _log[at..];
                at = _log.Count;
                grown = _grown.Task;
                ended = _ended;
            }

            var chosen = entries.Where(entry => (entry.IsStderr ? options.Stderr : options.Stdout)
                && (options.Since is null || entry.TimestampNanoseconds >= (options.Since.Value - DateTimeOffset.UnixEpoch).Ticks * 100)
                && (options.Until is null || entry.TimestampNanoseconds <= (options.Until.Value - DateTimeOffset.UnixEpoch).Ticks * 100)).ToList();
            if (first && options.Tail is { } tail)
                chosen = [.. chosen.TakeLast(tail)];
            first = false;
            foreach (var entry in chosen)
                yield return entry;
            if (!options.Follow || ended)
                yield break;
            await grown.WaitAsync(cancellationToken);
        }
    }

    private void AppendLines(bool isStderr, ReadOnlyMemory<byte> data)
    {
        var now = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks * 100;
        while (!data.IsEmpty)
        {
            var end = data.Span.IndexOf((byte)'\n');
            var line = end < 0 ? data : data[..(end + 1)];
            _log.Add(new LogEntry(now, isStderr, line));
            data = data[line.Length..];
        }
    }
}
