using Candela.Network.Flows;

namespace Candela.Controller.Tests.Fake;

/// <summary>A flow log that tests write.</summary>
internal sealed class FakeFlows
{
    private readonly Lock _gate = new();
    private readonly List<FlowEntry> _entries = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Add(Func<long, FlowEntry> entry)
    {
        lock (_gate)
        {
            _entries.Add(entry(_entries.Count + 1));
            TaskCompletionSource told = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            told.SetResult();
        }
    }

    public IReadOnlyList<FlowEntry> Read(Func<FlowEntry, bool> filter, int most, long after)
    {
        lock (_gate)
            return [.. _entries.Where(e => e.Sequence > after && filter(e)).TakeLast(most)];
    }

    public async Task<long> WaitAsync(long after, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task more;
            lock (_gate)
            {
                if (_entries.Count > after)
                    return _entries.Count;
                more = _more.Task;
            }

            await more.WaitAsync(cancellationToken);
        }
    }
}
