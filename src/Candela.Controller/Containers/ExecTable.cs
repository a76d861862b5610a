using System.Security.Cryptography;
using Candela.Controller.Events;
using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>
/// Execs, in memory only: those of an earlier daemon are forgotten. Ended ones stay for a few minutes, so that their exit code can be read.
/// </summary>
internal sealed class ExecTable(ControllerOptions options, EventLog events, TimeProvider time)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(5);
    private const int ExitCodeKilled = 137;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ExecEntry> _execs = new(StringComparer.Ordinal);

    /// <summary>Prepares one.</summary>
    /// <exception cref="CandelaException">ResourceExhausted.</exception>
    public Exec Add(Container container, ExecSpec spec, ProcessConfiguration process)
    {
        var exec = new Exec { Id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)), ContainerId = container.Id, Spec = spec };
        lock (_gate)
        {
            if (_execs.Count >= options.ExecCount / 2)
                DropOld();
            if (_execs.Count >= options.ExecCount)
                throw new CandelaException(ErrorCode.ResourceExhausted, $"at most {options.ExecCount} execs are kept: wait until some have ended");
            _execs.Add(exec.Id, new ExecEntry(exec, process, time.GetUtcNow()));
        }

        events.AddContainer(container, "exec_create: " + string.Join(' ', spec.Arguments), ("execID", exec.Id));
        return exec;
    }

    /// <summary>One exec of a project.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public ExecEntry Get(string id)
    {
        lock (_gate)
            return _execs.GetValueOrDefault(id) ?? throw new CandelaException(ErrorCode.NotFound, $"No such exec instance: {id}");
    }

    /// <summary>It is being started.</summary>
    /// <exception cref="CandelaException">Conflict: it has been before.</exception>
    public void BeginStart(ExecEntry entry, Container container)
    {
        lock (_gate)
        {
            if (entry.IsBegun)
                throw new CandelaException(ErrorCode.Conflict, $"exec command {entry.Exec.Id} is already running or has ended: create another one");
            entry.IsBegun = true;
            entry.Exec = entry.Exec with { Running = true };
        }

        events.AddContainer(container, "exec_start: " + string.Join(' ', entry.Exec.Spec.Arguments), ("execID", entry.Exec.Id));
    }

    /// <summary>It runs.</summary>
    public void EndStart(ExecEntry entry, int pid)
    {
        lock (_gate)
            entry.Exec = entry.Exec with { Pid = pid };
    }

    /// <summary>Its process has ended, or could not be started.</summary>
    public void End(ExecEntry entry, int exitCode, Container? container)
    {
        lock (_gate)
        {
            if (!entry.Exec.Running)
                return;
            entry.Exec = entry.Exec with { Running = false, ExitCode = exitCode };
            entry.EndedAt = time.GetUtcNow();
        }

        if (container is not null)
            events.AddContainer(container, "exec_die", ("execID", entry.Exec.Id), ("exitCode", exitCode.Text()));
    }

    /// <summary>An exit told by the machine.</summary>
    public void OnExited(Container? container, string execId, ContainerExit exit)
    {
        ExecEntry? entry;
        lock (_gate)
            entry = _execs.GetValueOrDefault(execId);
        if (entry is not null)
            End(entry, exit.Code, container);
    }

    /// <summary>The container has ended, and its execs with it.</summary>
    public void EndAll(string containerId)
    {
        lock (_gate)
        {
            foreach (var entry in _execs.Values)
            {
                if (entry.Exec.ContainerId != containerId || !entry.Exec.Running)
                    continue;
                entry.Exec = entry.Exec with { Running = false, ExitCode = ExitCodeKilled };
                entry.EndedAt = time.GetUtcNow();
            }
        }
    }

    /// <summary>The container is gone.</summary>
    public void ForgetAll(string containerId)
    {
        lock (_gate)
        {
            foreach (var (id, entry) in _execs)
            {
                if (entry.Exec.ContainerId == containerId)
                    _execs.Remove(id);
            }
        }
    }

    private void DropOld()
    {
        var limit = time.GetUtcNow() - KeptFor;
        foreach (var (id, entry) in _execs)
        {
            if (!entry.Exec.Running && (entry.EndedAt ?? entry.CreatedAt) < limit)
                _execs.Remove(id);
        }
    }
}

/// <summary>An exec in memory.</summary>
internal sealed class ExecEntry(Exec exec, ProcessConfiguration process, DateTimeOffset createdAt)
{
    public Exec Exec { get; set; } = exec;

    public ProcessConfiguration Process { get; } = process;

    public DateTimeOffset CreatedAt { get; } = createdAt;

    public DateTimeOffset? EndedAt { get; set; }

    public bool IsBegun { get; set; }
}
