namespace Candela.Network.Flows;

/// <summary>The latest entries of a project's flow log.</summary>
/// <remarks>Not for several threads at once.</remarks>
internal sealed class ProjectFlows
{
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Oldest first.</summary>
    public Queue<FlowEntry> Entries { get; } = [];

    /// <summary>Number of the last entry; 0: none yet.</summary>
    public long Last { get; private set; }

    /// <summary>When the project's network went, as a time stamp.</summary>
    public long EndedAt { get; set; }

    /// <summary>Waits until there is an entry with a greater number; tells the greatest.</summary>
    /// <param name="after">Number.</param>
    /// <param name="gate">What the owner locks for each call.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<long> WaitAsync(long after, Lock gate, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task more;
            lock (gate)
            {
                if (Last > after)
                    return Last;
                more = _more.Task;
            }

            await more.WaitAsync(cancellationToken);
        }
    }

    public void Add(FlowEntry entry)
    {
        Last = entry.Sequence;
        Entries.Enqueue(entry);
        if (Entries.Count > FlowLog.EntriesOfProject)
            Entries.Dequeue();
        TaskCompletionSource told = _more;
        _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        told.SetResult();
    }
}
