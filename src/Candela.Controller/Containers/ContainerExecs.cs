using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>Processes beside the main one.</summary>
internal sealed class ContainerExecs(ContainerTable table, ExecTable execs, IMachine machine)
{
    private const int ExitCodeNotFound = 127;
    private const int ExitCodeNotExecutable = 126;

    /// <summary>Prepares one.</summary>
    public Exec Create(ContainerEntry entry, ExecSpec spec)
    {
        CheckRunning(entry.Record);
        return execs.Add(entry.Record, spec, ProcessResolver.Resolve(spec, entry.Record));
    }

    /// <summary>Starts it.</summary>
    public async Task<IProcessSession?> StartAsync(string project, string execId, bool detach, (ushort Rows, ushort Columns)? size, CancellationToken cancellationToken)
    {
        var exec = Get(project, execId);
        var container = table.Find(exec.Exec.ContainerId)!.Record;
        CheckRunning(container);
        execs.BeginStart(exec, container);
        StartedExec started;
        try
        {
            started = await machine.StartExecAsync(container, execId, exec.Process, detach, size, cancellationToken);
        }
        catch (Exception e)
        {
            execs.End(exec, (e as CandelaException)?.Code == ErrorCode.CommandNotFound ? ExitCodeNotFound : ExitCodeNotExecutable, container);
            throw;
        }

        execs.EndStart(exec, started.Pid);
        return started.Session;
    }

    /// <summary>Changes its terminal's size.</summary>
    public Task ResizeAsync(string project, string execId, ushort rows, ushort columns, CancellationToken cancellationToken)
    {
        var exec = Get(project, execId).Exec;
        return exec.Running
            ? machine.ResizeExecAsync(exec.ContainerId, execId, rows, columns, cancellationToken)
            : throw new CandelaException(ErrorCode.Conflict, $"exec {execId} is not running");
    }

    /// <summary>One of a project.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public ExecEntry Get(string project, string execId)
    {
        var exec = execs.Get(execId);
        return table.Find(exec.Exec.ContainerId)?.Record.Project == project
            ? exec
            : throw new CandelaException(ErrorCode.NotFound, $"No such exec instance: {execId}");
    }

    private static void CheckRunning(Container container)
    {
        var reason = container.Status.State switch
        {
            ContainerState.Running => null,
            ContainerState.Paused => $"container {container.Id} is paused, unpause the container before exec",
            ContainerState.Restarting => $"container {container.Id} is restarting, wait until the container is running",
            _ => $"container {container.Id} is not running",
        };
        if (reason is not null)
            throw new CandelaException(ErrorCode.Conflict, reason);
    }
}
