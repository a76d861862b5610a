using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Microvisor.Qemu;

/// <summary>VMM processes of one parent that have mapped its memory, loaded its devices and stand still until they are claimed.</summary>
internal sealed partial class WaitingPool(int target, PreparationSlots slots, Func<bool, CancellationToken, Task<VmmProcess>> prepare, ILogger logger) : IAsyncDisposable
{
    // So many times in a row a VMM may fail before those who wait for one are told.
    private const int FailuresMost = 3;

    private readonly Lock _gate = new();
    private readonly List<VmmProcess> _waiting = [];
    private readonly Queue<TaskCompletionSource<VmmProcess>> _claims = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly HashSet<Task> _preparing = [];
    private int _failures;
    private TaskCompletionSource _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>Starts to fill it; completes when it is full, fails when a VMM cannot be prepared.</summary>
    public Task FillAsync()
    {
        lock (_gate)
        {
            if (_filled.Task.IsFaulted)
                _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Refill();
            return _filled.Task;
        }
    }

    /// <summary>Takes one, or the next that becomes ready.</summary>
    public async Task<VmmProcess> TakeAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource<VmmProcess> claim;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopped.IsCancellationRequested, this);
            while (_waiting.Count > 0)
            {
                VmmProcess process = _waiting[0];
                _waiting.RemoveAt(0);
                if (process.Exited.IsCompleted)
                    continue;
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
            if (!claim.TrySetCanceled(cancellationToken) && claim.Task.IsCompletedSuccessfully && !Keep(await claim.Task, Task.CompletedTask))
                await EndAsync(await claim.Task);
            throw;
        }
    }

    /// <summary>Ends all that wait.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] preparing;
        VmmProcess[] waiting;
        lock (_gate)
        {
            _stopped.Cancel();
            preparing = [.. _preparing];
            waiting = [.. _waiting];
            _waiting.Clear();
            _filled.TrySetCanceled();
            while (_claims.TryDequeue(out TaskCompletionSource<VmmProcess>? claim))
                claim.TrySetException(new CandelaException(ErrorCode.Unavailable, "the microvisor is closing"));
        }

        await Task.WhenAll(preparing);
        await Task.WhenAll(waiting.Select(EndAsync));
        _stopped.Dispose();
    }

    private void Refill()
    {
        while (!_stopped.IsCancellationRequested && _preparing.Count + _waiting.Count < target + _claims.Count)
        {
            bool urgent = _preparing.Count < _claims.Count;
            var done = new TaskCompletionSource();
            _preparing.Add(done.Task);
            _ = PrepareAsync(urgent, done);
        }
    }

    private async Task PrepareAsync(bool urgent, TaskCompletionSource done)
    {
        VmmProcess? process = null;
        Exception? failure = null;
        try
        {
            SemaphoreSlim slot = await slots.TakeAsync(urgent, _stopped.Token);
            try
            {
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

        if (process is null)
            Fail(failure!, done.Task);
        else if (!Keep(process, done.Task))
            await EndAsync(process);
        done.SetResult();
    }

    private static async Task EndAsync(VmmProcess process)
    {
        process.Kill();
        await process.Exited;
    }

    private bool Keep(VmmProcess process, Task preparation)
    {
        bool kept = false;
        lock (_gate)
        {
            _preparing.Remove(preparation);
            while (!kept && _claims.TryDequeue(out TaskCompletionSource<VmmProcess>? claim))
                kept = claim.TrySetResult(process);
            if (!kept && !_stopped.IsCancellationRequested)
            {
                kept = true;
                _waiting.Add(process);
                _ = ReplaceWhenEndedAsync(process);
                if (_waiting.Count >= target)
                    _filled.TrySetResult();
            }

            if (kept)
                _failures = 0;
        }

        return kept;
    }

    /// <summary>One that ends while it waits is of no use to anyone.</summary>
    private async Task ReplaceWhenEndedAsync(VmmProcess process)
    {
        MicroVmExit exit = await process.Exited;
        lock (_gate)
        {
            if (!_waiting.Remove(process))
                return; // it was claimed
            Log.EndedWaiting(logger, process.Folder.Name, exit.Detail);
            if (++_failures < FailuresMost)
                Refill();
        }
    }

    private void Fail(Exception failure, Task preparation)
    {
        lock (_gate)
        {
            _preparing.Remove(preparation);
            if (!_stopped.IsCancellationRequested)
            {
                Log.PreparationFailed(logger, failure);
                if (++_failures < FailuresMost)
                {
                    Refill();
                    return;
                }

                _failures = 0;
                _filled.TrySetException(failure);
                while (_claims.TryDequeue(out TaskCompletionSource<VmmProcess>? claim) && !claim.TrySetException(failure))
                {
                    // That claim was given up; the next one hears of it.
                }
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "VMM {Vmm} ended while it waited: {Reason}")]
        public static partial void EndedWaiting(ILogger logger, string vmm, string reason);

        [LoggerMessage(Level = LogLevel.Error, Message = "a VMM could not be prepared")]
        public static partial void PreparationFailed(ILogger logger, Exception exception);
    }
}
