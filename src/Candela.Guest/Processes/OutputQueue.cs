using Candela.Guest.Channel;

namespace Candela.Guest.Processes;

/// <summary>Streams that have something to send, in turn.</summary>
internal sealed class OutputQueue
{
    private readonly Queue<ProcessOutput> _waiting = new();

    /// <summary>How fast streams are read.</summary>
    public OutputPace Pace { get; } = new();

    /// <summary>Adds a stream that is not in yet.</summary>
    public void Add(ProcessOutput output)
    {
        if (output.IsQueued)
            return;
        output.IsQueued = true;
        _waiting.Enqueue(output);
    }

    /// <summary>Appends a frame of the stream whose turn it is. False: nothing to send.</summary>
    public bool SendNext(FrameSender sender)
    {
        if (!_waiting.TryDequeue(out var output))
            return false;
        output.IsQueued = false;
        output.SendNext(sender);
        return true;
    }
}
