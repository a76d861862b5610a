using Microsoft.Extensions.Logging;

namespace Candela.Microvisor.Qemu;

/// <summary>What a <see cref="WaitingPool{T}"/> keeps.</summary>
internal interface IWaiting
{
    /// <summary>For the log.</summary>
    string Name { get; }

    /// <summary>Completes when it has ended and nothing of it is left.</summary>
    Task<MicroVmExit> Exited { get; }

    /// <summary>Ends it and waits for <see cref="Exited"/>.</summary>
    Task EndAsync();
}

/// <summary>
/// VMM processes of one parent that have mapped its memory, loaded its devices and stand still until they are claimed. A claim that finds
/// none has one prepared at once, and takes whichever is ready first. After failures in a row nothing is prepared ahead of need for a
/// while, from one second to five minutes; claims go on.
/// </summary>
/// <param name="target">How many shall wait.</param>
/// <param name="slots">Limits how many are prepared at once.</param>
/// <param name="prepare">Makes one; told whether it is made ahead of need.</param>
/// <param name="time">Clock of the pauses after failures.</param>
/// <param name="logger">Log.</param>
internal sealed partial class WaitingPool<T>(int target, PreparationSlots slots, Func<bool, CancellationToken, Task<T>> prepare, TimeProvider time, ILogger logger) : IAsyncDisposable
    where T : class, IWaiting
{
    // So many times in a row a VMM may fail before those who wait for one are told.
    private const int FailuresMost = 3;

    private static readonly TimeSpan PauseLeast = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseMost = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly List<T> _waiting = [];
    private readonly Queue<TaskCompletionSource<T>> _claims = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly HashSet<Task> _preparing = [];
    private TaskCompletionSource _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _urgent;
    private int _ahead;
    private int _urgentFailures;

    // Of those made ahead, since a claim was last given one: also those that ended while they waited.
    private int _aheadFailures;
    private int _pauses;
    private bool _isPaused;

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>Starts to fill it; completes when it is full, fails when a VMM cannot be prepared (at once while that was just so).</summary>
    public Task FillAsync()
    {
        lock (_gate)
        {
            if (_waiting.Count >= target)
                return Task.CompletedTask;
            if (_filled.Task.IsCompleted && !_isPaused)
                _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Refill();
            return _filled.Task;
        }
    }

    /// <summary>Takes one, or the next that becomes ready.</summary>
    /// <exception cref="ObjectDisposedException">The pool is closed, or was closed meanwhile.</exception>
    public async Task<T> TakeAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource<T> claim;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopped.IsCancellationRequested, this);
            while (_waiting.Count > 0)
            {
                T process = _waiting[0];
                _waiting.RemoveAt(0);
                if (process.Exited.IsCompleted)
                    continue;
                Served();
                Refill();
                return process;
            }

            claim = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _claims.Enqueue(claim);
            Refill();
        }

        try
        {
            return await claim.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            if (!claim.TrySetCanceled(cancellationToken) && claim.Task.IsCompletedSuccessfully && !Keep(await claim.Task))
                await (await claim.Task).EndAsync();
            throw;
        }
    }

    /// <summary>Ends all that wait.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] preparing;
        T[] waiting;
        lock (_gate)
        {
            _stopped.Cancel();
            preparing = [.. _preparing];
            waiting = [.. _waiting];
            _waiting.Clear();
            _filled.TrySetCanceled();
            while (_claims.TryDequeue(out TaskCompletionSource<T>? claim))
                claim.TrySetException(new ObjectDisposedException(nameof(WaitingPool<T>)));
        }

        await Task.WhenAll(preparing);
        await Task.WhenAll(waiting.Select(w => w.EndAsync()));
        _stopped.Dispose();
    }

    private void Refill()
    {
        if (_stopped.IsCancellationRequested)
            return;
        for (; _urgent < _claims.Count; _urgent++)
            Begin(urgent: true);
        for (; !_isPaused && _ahead + _waiting.Count < target; _ahead++)
            Begin(urgent: false);
    }

    private void Begin(bool urgent)
    {
        var done = new TaskCompletionSource();
        _preparing.Add(done.Task);
        _ = Task.Run(async () =>
        {
            await PrepareAsync(urgent);
            lock (_gate)
                _preparing.Remove(done.Task);
            done.SetResult();
        });
    }

    private async Task PrepareAsync(bool urgent)
    {
        T? process = null;
        Exception? failure = null;
        try
        {
            SemaphoreSlim slot = await slots.TakeAsync(urgent, _stopped.Token);
            try
            {
                if (!urgent || IsClaimed())
                    process = await prepare(!urgent, _stopped.Token);
            }
            finally
            {
                slot.Release();
            }
        }
        catch (Exception e)
        {
            failure = e;
        }

        lock (_gate)
        {
            if (urgent)
                _urgent--;
            else
                _ahead--;
            if (failure is not null)
                Fail(failure, urgent);
        }

        if (process is not null && !Keep(process))
            await process.EndAsync();
    }

    /// <summary>The claim that this was begun for may have got one made ahead meanwhile.</summary>
    private bool IsClaimed()
    {
        lock (_gate)
            return _claims.Count >= _urgent;
    }

    private bool Keep(T process)
    {
        lock (_gate)
        {
            while (_claims.TryDequeue(out TaskCompletionSource<T>? claim))
            {
                if (!claim.TrySetResult(process))
                    continue;
                Served();
                Refill();
                return true;
            }

            if (_stopped.IsCancellationRequested || _waiting.Count >= target)
                return false;
            _waiting.Add(process);
            _ = ReplaceWhenEndedAsync(process);
            if (_waiting.Count >= target)
                _filled.TrySetResult();
            return true;
        }
    }

    /// <summary>One that ends while it waits is of no use to anyone.</summary>
    private async Task ReplaceWhenEndedAsync(T process)
    {
        MicroVmExit exit = await process.Exited;
        lock (_gate)
        {
            if (!_waiting.Remove(process))
                return; // it was claimed
            Log.EndedWaiting(logger, process.Name, exit.Detail);
            FailAhead(new IOException($"VMM {process.Name} ended while it waited: {exit.Detail}"));
        }
    }

    /// <summary>A VMM could be prepared, and lived until it was needed.</summary>
    private void Served()
    {
        _urgentFailures = 0;
        _aheadFailures = 0;
        _pauses = 0;
    }

    private void Fail(Exception failure, bool urgent)
    {
        if (_stopped.IsCancellationRequested)
            return;
        Log.PreparationFailed(logger, failure);
        if (!urgent)
        {
            FailAhead(failure);
            return;
        }

        if (++_urgentFailures < FailuresMost)
        {
            Refill();
            return;
        }

        _urgentFailures = 0;
        while (_claims.TryDequeue(out TaskCompletionSource<T>? claim))
        {
            if (claim.TrySetException(failure))
                return;
        }
    }

    private void FailAhead(Exception failure)
    {
        if (_isPaused || _stopped.IsCancellationRequested)
            return;
        if (++_aheadFailures < FailuresMost)
        {
            Refill();
            return;
        }

        _isPaused = true;
        TimeSpan pause = PauseLeast * Math.Pow(2, Math.Min(_pauses++, 30));
        pause = pause < PauseMost ? pause : PauseMost;
        Log.Paused(logger, _aheadFailures, pause.TotalSeconds);
        _ = ResumeAsync(Task.Delay(pause, time, _stopped.Token));
        _filled.TrySetException(failure);
        _ = _filled.Task.Exception; // seen, also where nobody waits for it
    }

    private async Task ResumeAsync(Task pause)
    {
        await pause.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _isPaused = false;
            Refill();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "VMM {Vmm} ended while it waited: {Reason}")]
        public static partial void EndedWaiting(ILogger logger, string vmm, string reason);

        [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} VMMs failed ahead of need: the next is prepared in {Seconds} s")]
        public static partial void Paused(ILogger logger, int count, double seconds);

        [LoggerMessage(Level = LogLevel.Error, Message = "a VMM could not be prepared")]
        public static partial void PreparationFailed(ILogger logger, Exception exception);
    }
}
