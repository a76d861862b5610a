using System.Text.Json;
using System.Threading.Channels;
using Candela.Controller.Containers;
using Candela.Controller.Events;
using Candela.Model;
using Candela.State;
using Microsoft.Extensions.Logging;

namespace Candela.Controller.Storage;

/// <summary>
/// The one writer of containers and events. What waits is committed together, each record against the revision that was written last
/// (compare and swap). Some changes may wait for the next transaction, at most <see cref="Delay"/>: which, and why nothing is lost
/// thereby, is in docs/decisions/0401.
/// </summary>
internal sealed partial class StateWriter : IAsyncDisposable
{
    /// <summary>How long a change may wait that need not be durable at once.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(200);

    /// <summary>Most requests and delayed records of one transaction.</summary>
    private const int GroupCount = 256;

    private readonly IStateStore _store;
    private readonly EventLog _events;
    private readonly ILogger<StateWriter> _logger;
    private readonly Channel<Request> _requests = Channel.CreateUnbounded<Request>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock _gate = new();
    private readonly Queue<ContainerEntry> _dirty = new();
    private readonly EventChunks _chunks;
    private readonly ITimer _timer;
    private readonly Task _writing;
    private bool _armed;
    private Request? _carried;

    public StateWriter(IStateStore store, EventLog events, TimeProvider time, ILogger<StateWriter> logger)
    {
        _store = store;
        _events = events;
        _logger = logger;
        _chunks = new EventChunks(events.HistoryCount);
        _timer = time.CreateTimer(_ => _requests.Writer.TryWrite(new Request(Operation.Flush, [])), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _events.Added += Arm;
        _writing = Task.Run(WriteAsync);
    }

    private enum Operation
    {
        Flush,
        Create,
        Save,
        Rename,
        Delete,
    }

    /// <summary>Chunks of events as loaded at the start.</summary>
    public EventChunks Chunks => _chunks;

    /// <summary>Makes records and names, all or none; AlreadyExists when one is there.</summary>
    public Task CreateAsync(IReadOnlyList<ContainerEntry> entries) => RequestAsync(new Request(Operation.Create, entries));

    /// <summary>Stores the present record.</summary>
    public Task SaveAsync(ContainerEntry entry) => RequestAsync(new Request(Operation.Save, [entry]));

    /// <summary>Moves the name and stores the present record with the new one.</summary>
    public Task RenameAsync(ContainerEntry entry, string formerName) => RequestAsync(new Request(Operation.Rename, [entry], formerName));

    /// <summary>Deletes record and name.</summary>
    public Task DeleteAsync(IReadOnlyList<ContainerEntry> entries) => RequestAsync(new Request(Operation.Delete, entries));

    /// <summary>Stores whatever waits.</summary>
    public Task FlushAsync() => RequestAsync(new Request(Operation.Flush, []));

    /// <summary>Stores the present record with the next transaction.</summary>
    public void SaveLater(ContainerEntry entry)
    {
        lock (_gate)
        {
            if (entry.IsDirty)
                return;
            entry.IsDirty = true;
            _dirty.Enqueue(entry);
        }

        Arm();
    }

    public async ValueTask DisposeAsync()
    {
        _events.Added -= Arm;
        await _timer.DisposeAsync();
        _requests.Writer.TryWrite(new Request(Operation.Flush, []));
        _requests.Writer.TryComplete();
        await _writing;
    }

    private async Task RequestAsync(Request request)
    {
        if (!_requests.Writer.TryWrite(request))
            throw new CandelaException(ErrorCode.Unavailable, "the daemon is ending: try again when it is back");
        await request.Done.Task;
    }

    private void Arm()
    {
        lock (_gate)
        {
            if (_armed)
                return;
            _armed = true;
        }

        Change(Delay);
    }

    private void Change(TimeSpan due)
    {
        try
        {
            _timer.Change(due, Timeout.InfiniteTimeSpan);
        }
        catch (ObjectDisposedException)
        {
            // The last flush is on its way.
        }
    }

    private async Task WriteAsync()
    {
        while (_carried is not null || await _requests.Reader.WaitToReadAsync())
        {
            var group = TakeGroup();
            var dirty = TakeDirty(group);
            var events = _events.TakeUnsaved();
            if (await TryCommitAsync(group, dirty, events) is { } failure)
                await RetryAsync(group, dirty, events, failure);
        }
    }

    /// <summary>Requests that can be committed together: no container twice.</summary>
    private List<Request> TakeGroup()
    {
        var group = new List<Request>();
        var touched = new HashSet<ContainerEntry>();
        while (group.Count < GroupCount && touched.Count < GroupCount && (_carried ?? (_requests.Reader.TryRead(out var next) ? next : null)) is { } request)
        {
            _carried = null;
            if (request.Entries.Any(touched.Contains))
            {
                _carried = request;
                break;
            }

            touched.UnionWith(request.Entries);
            group.Add(request);
        }

        return group;
    }

    private List<ContainerEntry> TakeDirty(List<Request> group)
    {
        var result = new List<ContainerEntry>();
        lock (_gate)
        {
            _armed = false;
            foreach (var entry in group.SelectMany(static request => request.Entries))
                entry.IsDirty = false; // stored, or deleted, by its request
            while (result.Count < GroupCount && _dirty.TryDequeue(out var entry))
            {
                if (entry.IsDirty && entry.StoredRevision != 0)
                    result.Add(entry);
                entry.IsDirty = false;
            }
        }

        return result;
    }

    /// <returns>Null on success, else why nothing was written.</returns>
    private async Task<CandelaException?> TryCommitAsync(IReadOnlyList<Request> group, IReadOnlyList<ContainerEntry> dirty, IReadOnlyList<StoredEvent> events)
    {
        var transaction = new StateTransaction();
        try
        {
            foreach (var request in group)
                Add(transaction, request);
            foreach (var entry in dirty)
                Put(transaction, entry, entry.StoredRevision);
            _chunks.Add(transaction, events);
        }
        catch (ArgumentException e)
        {
            return new CandelaException(ErrorCode.InvalidArgument, $"the container's description is too large: {e.Message}", e);
        }

        if (transaction.Writes.Count == 0)
        {
            Complete(group);
            return null;
        }

        CommitResult result;
        try
        {
            result = await _store.CommitAsync(transaction, CancellationToken.None);
        }
        catch (Exception e) when (e is StateStoreException or ObjectDisposedException or InvalidOperationException)
        {
            return new CandelaException(ErrorCode.Unavailable, $"the state store cannot be written: {e.Message}", e);
        }

        if (!result.Succeeded)
        {
            return group is [{ Operation: Operation.Create }]
                ? new CandelaException(ErrorCode.AlreadyExists, $"{result.FailedKey} exists in the state store already")
                : new CandelaException(ErrorCode.Conflict, $"{result.FailedKey} was changed in the state store by somebody else");
        }

        _chunks.Committed(events);
        foreach (var entry in dirty)
            entry.StoredRevision = result.Revision;
        foreach (var request in group)
        {
            foreach (var entry in request.Entries)
                entry.StoredRevision = request.Operation == Operation.Delete ? 0 : result.Revision;
        }

        Complete(group);
        return null;

        static void Complete(IReadOnlyList<Request> group)
        {
            foreach (var request in group)
                request.Done.SetResult();
        }
    }

    /// <summary>One by one, so that only what cannot be written fails.</summary>
    private async Task RetryAsync(List<Request> group, List<ContainerEntry> dirty, IReadOnlyList<StoredEvent> events, CandelaException failure)
    {
        if (failure.Code == ErrorCode.Unavailable)
        {
            Log.WriteFailed(_logger, failure);
            foreach (var request in group)
                request.Done.SetException(failure);
            var saved = group.Where(static request => request.Operation == Operation.Save).SelectMany(static request => request.Entries);
            foreach (var entry in dirty.Concat(saved))
                SaveLater(entry);
            _events.Return(events);
            Arm();
            return;
        }

        foreach (var request in group)
        {
            if (await TryCommitAsync([request], [], []) is { } reason)
                request.Done.SetException(reason);
        }

        foreach (var entry in dirty)
        {
            if (await TryCommitAsync([], [entry], []) is { } reason)
                Log.WriteFailed(_logger, reason);
        }

        foreach (var happening in events)
        {
            if (await TryCommitAsync([], [], [happening]) is { } reason)
                Log.WriteFailed(_logger, reason);
        }
    }

    private static void Add(StateTransaction transaction, Request request)
    {
        foreach (var entry in request.Entries)
        {
            var record = entry.Record;
            switch (request.Operation)
            {
                case Operation.Create:
                    AddName(transaction, record);
                    Put(transaction, entry, 0);
                    break;
                case Operation.Save:
                    if (entry.StoredRevision != 0) // 0: removed meanwhile
                        Put(transaction, entry, entry.StoredRevision);
                    break;
                case Operation.Rename:
                    AddName(transaction, record);
                    transaction.Delete(StateKeys.Name(record.Project, request.FormerName!));
                    Put(transaction, entry, entry.StoredRevision);
                    break;
                case Operation.Delete:
                    var key = StateKeys.Container(record.Project, record.Id);
                    transaction.Expect(key, entry.StoredRevision).Delete(key).Delete(StateKeys.Name(record.Project, record.Name));
                    break;
            }
        }
    }

    private static void AddName(StateTransaction transaction, Container record)
    {
        var key = StateKeys.Name(record.Project, record.Name);
        transaction.Expect(key, 0).Put(key, System.Text.Encoding.ASCII.GetBytes(record.Id));
    }

    private static void Put(StateTransaction transaction, ContainerEntry entry, long revision)
    {
        var record = entry.Record;
        var key = StateKeys.Container(record.Project, record.Id);
        var document = new StoredContainer(record, entry.Backoff.Milliseconds);
        transaction.Expect(key, revision).Put(key, JsonSerializer.SerializeToUtf8Bytes(document, ControllerJson.Default.StoredContainer));
    }

    private sealed record Request(Operation Operation, IReadOnlyList<ContainerEntry> Entries, string? FormerName = null)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Container state could not be stored")]
        public static partial void WriteFailed(ILogger logger, Exception reason);
    }
}
