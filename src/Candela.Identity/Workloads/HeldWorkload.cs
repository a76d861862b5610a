namespace Candela.Identity.Workloads;

/// <summary>A live workload whose container runs at this controller's machines: it has the private key, and is told of changes.</summary>
internal sealed class HeldWorkload(WorkloadDocument document, SpiffeId id)
{
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Held while its document is being changed.</summary>
    public SemaphoreSlim Gate { get; } = new(1);

    public SpiffeId Id { get; } = id;

    public WorkloadDocument Document { get; private set; } = document;

    /// <summary>Revision of the document.</summary>
    public long Revision { get; private set; }

    /// <summary>Null: none yet since the controller began.</summary>
    public X509Svid? Svid { get; private set; }

    public bool HasEnded { get; private set; }

    /// <summary>When it is due for the next one.</summary>
    public DateTimeOffset RotateAt { get; private set; }

    /// <summary>Ends when it has changed, or has ended, since this was read.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public void Set(WorkloadDocument document, long revision, X509Svid? svid, DateTimeOffset rotateAt)
    {
        Document = document;
        Revision = revision;
        Svid = svid;
        RotateAt = rotateAt;
        Notify();
    }

    public void End()
    {
        HasEnded = true;
        Svid = null;
        Notify();
    }

    private void Notify() => Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
}
