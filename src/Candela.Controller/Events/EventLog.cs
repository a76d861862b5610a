using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Candela.Controller.Storage;
using Candela.Model;

namespace Candela.Controller.Events;

/// <summary>
/// What happened, numbered: a bounded history in memory, and readers that go on from it to what is yet to come without a gap.
/// <see cref="StateWriter"/> carries new events into the state store with its next transaction.
/// </summary>
internal sealed class EventLog(TimeProvider time, int historyCount)
{
    /// <summary>Events that a reader may lag behind before it is cut off.</summary>
    private const int ReaderLag = 65_536;

    private readonly Lock _gate = new();
    private readonly Queue<StoredEvent> _history = new();
    private readonly List<Channel<StoredEvent>> _readers = [];
    private List<StoredEvent> _unsaved = [];
    private long _sequence;
    private DateTimeOffset _last;

    /// <summary>There is a new event to be saved. Must not block.</summary>
    public event Action? Added;

    /// <summary>Most events kept.</summary>
    public int HistoryCount => historyCount;

    /// <summary>Takes in what an earlier daemon saved, in order.</summary>
    public void Load(IEnumerable<StoredEvent> saved)
    {
        lock (_gate)
        {
            foreach (var old in saved)
            {
                Remember(old);
                (_sequence, _last) = (old.Event.Sequence, old.Event.At);
            }
        }
    }

    /// <summary>Something happened.</summary>
    /// <param name="project">Project that may see it; null: every one.</param>
    /// <param name="kind">Kind of the resource.</param>
    /// <param name="action">Action.</param>
    /// <param name="id">Resource.</param>
    /// <param name="attributes">Attributes.</param>
    public void Add(string? project, string kind, string action, string id, IReadOnlyDictionary<string, string> attributes)
    {
        lock (_gate)
        {
            // Sequence and time grow together, also when the clock is set back.
            var now = time.GetUtcNow();
            _last = now > _last ? now : _last;
            var added = new StoredEvent(new ResourceEvent(++_sequence, _last, kind, action, id, attributes), project);
            Remember(added);
            _unsaved.Add(added);
            for (var i = _readers.Count - 1; i >= 0; i--)
            {
                if (_readers[i].Writer.TryWrite(added))
                    continue;
                _readers[i].Writer.TryComplete(new CandelaException(
                    ErrorCode.ResourceExhausted, $"the reader of events lags more than {ReaderLag} events behind: read the list again"));
                _readers.RemoveAt(i);
            }
        }

        Added?.Invoke();
    }

    /// <summary>Events that are not in the state store, which are the caller's from now on.</summary>
    public IReadOnlyList<StoredEvent> TakeUnsaved()
    {
        lock (_gate)
        {
            if (_unsaved.Count == 0)
                return [];
            var taken = _unsaved;
            _unsaved = [];
            return taken;
        }
    }

    /// <summary>Gives back what could not be saved.</summary>
    public void Return(IReadOnlyList<StoredEvent> taken)
    {
        lock (_gate)
            _unsaved = [.. taken, .. _unsaved.TakeLast(Math.Max(0, historyCount - taken.Count))];
    }

    /// <summary>Events of a project from <paramref name="since"/> (null: now) to <paramref name="until"/> (null: for ever).</summary>
    public async IAsyncEnumerable<ResourceEvent> ReadAsync(
        string project, DateTimeOffset? since, DateTimeOffset? until, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var live = Channel.CreateBounded<StoredEvent>(new BoundedChannelOptions(ReaderLag) { SingleReader = true });
        StoredEvent[] history;
        lock (_gate)
        {
            history = since is null ? [] : [.. _history.Where(old => old.Event.At >= since)];
            _readers.Add(live);
        }

        ITimer? end = null;
        try
        {
            if (until is { } last)
            {
                var rest = last - time.GetUtcNow();
                if (rest <= TimeSpan.Zero)
                    live.Writer.TryComplete();
                else
                    end = time.CreateTimer(_ => live.Writer.TryComplete(), null, Min(rest, MaximumWait), Timeout.InfiniteTimeSpan);
            }

            foreach (var old in history)
            {
                if (IsWanted(old))
                    yield return old.Event;
            }

            await foreach (var next in live.Reader.ReadAllAsync(cancellationToken))
            {
                if (IsWanted(next))
                    yield return next.Event;
            }
        }
        finally
        {
            if (end is not null)
                await end.DisposeAsync();
            lock (_gate)
                _readers.Remove(live);
        }

        bool IsWanted(StoredEvent happening) =>
            (happening.Project is null || happening.Project == project) && (until is null || happening.Event.At <= until);
    }

    /// <summary>Ends all readers.</summary>
    public void Close()
    {
        lock (_gate)
        {
            foreach (var reader in _readers)
                reader.Writer.TryComplete();
            _readers.Clear();
        }
    }

    /// <summary>The longest that timers can wait (2³² − 2 ms), rounded down.</summary>
    private static readonly TimeSpan MaximumWait = TimeSpan.FromDays(49);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void Remember(StoredEvent added)
    {
        _history.Enqueue(added);
        if (_history.Count > historyCount)
            _history.Dequeue();
    }
}
