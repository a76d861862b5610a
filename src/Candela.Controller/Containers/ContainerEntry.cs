using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>
/// A container in memory. <see cref="Gate"/> serializes start, stop and removal; <see cref="Sync"/> guards the fields and is held
/// only for moments, so that an exit, which waits for no gate, can be recorded while a stop waits for it.
/// </summary>
internal sealed class ContainerEntry(Container record)
{
    private volatile Container _record = record;
    private TaskCompletionSource<WaitResult> _exit = NewWait();
    private readonly TaskCompletionSource<WaitResult> _removed = NewWait();

    /// <summary>One transition at a time.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>Guards every field.</summary>
    public Lock Sync { get; } = new();

    /// <summary>Full id.</summary>
    public string Id { get; } = record.Id;

    /// <summary>The container as it is now.</summary>
    public Container Record => _record;

    /// <summary>Status as it is now.</summary>
    public ContainerStatus Status => _record.Status;

    /// <summary>It has been removed.</summary>
    public bool IsGone { get; private set; }

    /// <summary>A start or the recovery is under way: an exit is parked until its outcome is recorded.</summary>
    public bool IsStarting { get; set; }

    /// <summary>An exit that came while <see cref="IsStarting"/>.</summary>
    public ContainerExit? ParkedExit { get; set; }

    /// <summary>The exit that comes is a part of a restart on a user's behalf.</summary>
    public bool KeepsOnExit { get; set; }

    /// <summary>Wait before the next restart by the policy.</summary>
    public RestartBackoff Backoff { get; } = new();

    /// <summary>Goes off when the back-off is over; null when no restart waits.</summary>
    public ITimer? RestartTimer { get; set; }

    /// <summary>Revision in the state store; the state writer's alone.</summary>
    public long StoredRevision { get; set; }

    /// <summary>Its present record is yet to be stored; the state writer's alone.</summary>
    public bool IsDirty { get; set; }

    /// <summary>The next exit.</summary>
    public Task<WaitResult> NextExit
    {
        get
        {
            lock (Sync)
                return _exit.Task;
        }
    }

    /// <summary>The removal.</summary>
    public Task<WaitResult> Removed => _removed.Task;

    /// <summary>It runs, paused or not.</summary>
    public bool IsRunning => Status.State is ContainerState.Running or ContainerState.Paused;

    /// <summary>Changes the record. The caller holds <see cref="Sync"/>.</summary>
    public void Update(Func<Container, Container> change) => _record = change(_record) with { Revision = _record.Revision + 1 };

    /// <summary>Changes the status. The caller holds <see cref="Sync"/>.</summary>
    public void UpdateStatus(Func<ContainerStatus, ContainerStatus> change) => Update(record => record with { Status = change(record.Status) });

    /// <summary>Answers those who wait for an exit; the next ones wait for the next.</summary>
    public void CompleteExit()
    {
        TaskCompletionSource<WaitResult> waiting;
        lock (Sync)
            (waiting, _exit) = (_exit, NewWait());
        waiting.SetResult(Result());
    }

    /// <summary>It is gone: answers all who wait.</summary>
    public void CompleteRemoval()
    {
        lock (Sync)
        {
            IsGone = true;
            CancelRestart();
            _exit.TrySetResult(Result());
        }

        _removed.TrySetResult(Result());
    }

    /// <summary>It could not be removed: answers those who wait for it.</summary>
    public void FailRemoval() => _removed.TrySetResult(Result());

    /// <summary>Forgets a restart that waits. The caller holds <see cref="Sync"/>.</summary>
    public void CancelRestart()
    {
        RestartTimer?.Dispose();
        RestartTimer = null;
    }

    /// <summary>What a wait yields now.</summary>
    public WaitResult Result() => new(Status.ExitCode, Status.Error);

    private static TaskCompletionSource<WaitResult> NewWait() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
