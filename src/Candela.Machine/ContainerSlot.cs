using Candela.Machine.Logs;
using Candela.Machine.Streams;

namespace Candela.Machine;

/// <summary>What the Machine holds of one container over all its runs: its log, its present run, and clients that wait for the next one.</summary>
internal sealed class ContainerSlot(string id, string folder, TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<ProcessSession> _waiting = [];
    private ContainerLog? _log;
    private ContainerRun? _run;

    /// <summary>Container id.</summary>
    public string Id => id;

    /// <summary>Its folder.</summary>
    public string Folder => folder;

    /// <summary>Its writable disk.</summary>
    public string ScratchPath => Path.Combine(folder, "scratch.ext4");

    /// <summary>Held while a run begins and while the container is removed.</summary>
    public SemaphoreSlim StartGate { get; } = new(1, 1);

    /// <summary>Terminal size that was asked for before the start.</summary>
    public (ushort Rows, ushort Columns)? InitialSize { get; set; }

    /// <summary>The present or last run.</summary>
    public ContainerRun? Run
    {
        get
        {
            lock (_gate)
                return _run;
        }
    }

    /// <summary>The log, opened on first use.</summary>
    public ContainerLog OpenLog()
    {
        lock (_gate)
        {
            Directory.CreateDirectory(folder);
            return _log ??= new ContainerLog(Path.Combine(folder, "log"), time);
        }
    }

    /// <summary>Binds a session to the present run, or lets it wait for the next one.</summary>
    public void Attach(ProcessSession session)
    {
        lock (_gate)
        {
            session.Disposed = s =>
            {
                lock (_gate)
                    _waiting.Remove(s);
            };
            if (_run is { HasEnded: false } run)
                session.Bind(run.MainOutput, run.MainInput);
            else
                _waiting.Add(session);
        }
    }

    /// <summary>A run begins: everyone who waited joins it.</summary>
    public void Bind(ContainerRun run)
    {
        lock (_gate)
        {
            _run = run;
            foreach (ProcessSession session in _waiting)
                session.Bind(run.MainOutput, run.MainInput);
            _waiting.Clear();
        }
    }

    /// <summary>The start failed before it came to a run: whoever waited is told.</summary>
    public void CompleteWaiting()
    {
        ProcessSession[] waiting;
        lock (_gate)
        {
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        foreach (ProcessSession session in waiting)
            session.Complete();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CompleteWaiting();
        lock (_gate)
        {
            _log?.Dispose();
            _log = null;
        }

        StartGate.Dispose();
    }
}
