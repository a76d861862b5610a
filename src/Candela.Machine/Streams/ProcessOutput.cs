using Candela.Guest.Protocol.Host;
using Candela.Machine.Logs;

namespace Candela.Machine.Streams;

/// <summary>
/// Takes the output of one process from the agent to its log and to the sessions that are attached, and acknowledges to the guest what
/// all of them have: a slow reader thereby slows the process, and nothing is buffered here beyond the guest's window.
/// </summary>
internal sealed class ProcessOutput
{
    private readonly Lock _gate = new();
    private readonly ContainerLog? _log;
    private readonly Action<OutputStream, ulong> _acknowledge;
    private readonly StreamState _stdout;
    private readonly StreamState _stderr;
    private readonly List<ProcessSession> _sessions = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Makes it; the streams go on from the given positions. A terminal has standard output only.</summary>
    public ProcessOutput(ContainerLog? log, bool tty, Action<OutputStream, ulong> acknowledge, ulong stdout = 0, ulong stderr = 0)
    {
        _log = log;
        _acknowledge = acknowledge;
        _stdout = new StreamState(stdout);
        _stderr = new StreamState(stderr) { Ended = tty };
    }

    /// <summary>Completes when both streams have ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Adds a session; it gets what comes from now on.</summary>
    public void Attach(ProcessSession session)
    {
        lock (_gate)
        {
            _sessions.Add(session);
            session.SetConsumed(_stdout.Received, _stderr.Received);
        }
    }

    /// <summary>Takes a session away; the others, and the process, go on.</summary>
    public void Detach(ProcessSession session)
    {
        lock (_gate)
            _sessions.Remove(session);
        Acknowledge();
    }

    /// <summary>Output from the guest; empty data ends the stream.</summary>
    public void OnOutput(OutputStream stream, ulong position, ReadOnlyMemory<byte> data)
    {
        lock (_gate)
        {
            StreamState state = State(stream);
            if (data.IsEmpty)
            {
                state.Ended = true;
            }
            else
            {
                // After a reconnect the guest sends again from the last logged position: what came before is already taken.
                if (position < state.Received)
                {
                    ulong known = state.Received - position;
                    if (known >= (ulong)data.Length)
                        return;
                    data = data[(int)known..];
                }

                state.Received += (ulong)data.Length;
                _log?.Append(stream, data.Span);
                ReadOnlyMemory<byte>? copy = null;
                foreach (ProcessSession session in _sessions)
                {
                    if (session.Wants(stream))
                        session.Enqueue(stream, copy ??= data.ToArray(), state.Received);
                }
            }

            if (_stdout.Ended && _stderr.Ended)
            {
                _log?.Flush();
                _ended.TrySetResult();
            }
        }

        Acknowledge();
    }

    /// <summary>The process and its output are over (or its VM is gone): sessions complete.</summary>
    public void Complete()
    {
        ProcessSession[] sessions;
        lock (_gate)
        {
            _log?.Flush();
            sessions = [.. _sessions];
        }

        foreach (ProcessSession session in sessions)
            session.Complete();
        _log?.Wake();
    }

    /// <summary>Tells the guest how far the log and every session are.</summary>
    public void Acknowledge()
    {
        AcknowledgeStream(OutputStream.Stdout);
        AcknowledgeStream(OutputStream.Stderr);
    }

    private void AcknowledgeStream(OutputStream stream)
    {
        ulong position;
        lock (_gate)
        {
            StreamState state = State(stream);
            position = _log?.Persisted(stream) ?? state.Received;
            foreach (ProcessSession session in _sessions)
            {
                if (session.Wants(stream))
                    position = Math.Min(position, session.Consumed(stream));
            }

            if (position <= state.Acknowledged)
                return;
            state.Acknowledged = position;
        }

        _acknowledge(stream, position);
    }

    private StreamState State(OutputStream stream) => stream == OutputStream.Stdout ? _stdout : _stderr;

    private sealed class StreamState(ulong start)
    {
        public ulong Received { get; set; } = start;

        public ulong Acknowledged { get; set; } = start;

        public bool Ended { get; set; }
    }
}
