using System.Runtime.CompilerServices;
using Candela.Controller.Events;
using Candela.Controller.Networks;
using Candela.Controller.Storage;
using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>Finds what is meant, and lets the parts do it. Changes go on to their end when the caller leaves.</summary>
internal sealed class ContainerService(
    ContainerTable table,
    ContainerCreation creation,
    ContainerLifecycle lifecycle,
    ContainerForks forks,
    ContainerExecs execs,
    ProjectTable projects,
    EventLog events,
    BackgroundTasks background,
    NetworkService networks,
    IMachine machine) : IContainerService
{
    public async Task<Container> CreateAsync(Caller caller, string? name, ContainerSpec spec, CancellationToken cancellationToken)
    {
        projects.Check(caller.Project);
        return await creation.CreateAsync(caller.Project, name, spec, cancellationToken);
    }

    public Task<Container> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) => Task.FromResult(Get(caller, reference).Record);

    public Task<IReadOnlyList<Container>> ListAsync(Caller caller, CancellationToken cancellationToken)
    {
        projects.Check(caller.Project);
        return Task.FromResult<IReadOnlyList<Container>>(
            [.. table.List(caller.Project).Select(static entry => entry.Record).OrderByDescending(static record => record.CreatedAt).ThenBy(static record => record.Id, StringComparer.Ordinal)]);
    }

    public Task StartAsync(Caller caller, string reference, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        return background.RunToEndAsync(() => lifecycle.StartAsync(entry), cancellationToken);
    }

    public Task StopAsync(Caller caller, string reference, int? timeoutSeconds, string? signal, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        var stopping = WhileWaiting(entry, timeoutSeconds, cancellationToken);
        return background.RunToEndAsync(() => lifecycle.StopAsync(entry, timeoutSeconds, signal, stopping), cancellationToken);
    }

    public Task RestartAsync(Caller caller, string reference, int? timeoutSeconds, string? signal, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        var stopping = WhileWaiting(entry, timeoutSeconds, cancellationToken);
        return background.RunToEndAsync(() => lifecycle.RestartAsync(entry, timeoutSeconds, signal, stopping), cancellationToken);
    }

    public Task KillAsync(Caller caller, string reference, string? signal, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        return background.RunToEndAsync(() => lifecycle.KillAsync(entry, signal), cancellationToken);
    }

    public Task PauseAsync(Caller caller, string reference, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        return background.RunToEndAsync(() => lifecycle.PauseAsync(entry), cancellationToken);
    }

    public Task UnpauseAsync(Caller caller, string reference, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        return background.RunToEndAsync(() => lifecycle.UnpauseAsync(entry), cancellationToken);
    }

    public Task RenameAsync(Caller caller, string reference, string name, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        var checkedName = ContainerNames.Check(name);
        return background.RunToEndAsync(() => lifecycle.RenameAsync(entry, checkedName), cancellationToken);
    }

    public Task UpdateAsync(Caller caller, string reference, ContainerUpdate update, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        return background.RunToEndAsync(() => lifecycle.UpdateAsync(entry, update), cancellationToken);
    }

    public Task ConnectNetworkAsync(Caller caller, string reference, NetworkAttachment attachment, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        SpecCheck.Check(attachment);
        return background.RunToEndAsync(() => lifecycle.ConnectNetworkAsync(entry, attachment), cancellationToken);
    }

    public async Task DisconnectNetworkAsync(Caller caller, string reference, string network, bool force, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        var name = await networks.NameOfAsync(caller.Project, network);
        await background.RunToEndAsync(() => lifecycle.DisconnectNetworkAsync(entry, name, force), cancellationToken);
    }

    public Task RemoveAsync(Caller caller, string reference, bool force, bool withVolumes, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        return background.RunToEndAsync(() => lifecycle.RemoveAsync(entry, force, withVolumes), cancellationToken);
    }

    public Task<Task<WaitResult>> WaitAsync(Caller caller, string reference, WaitCondition condition, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        Task<WaitResult> waiting;
        lock (entry.Sync)
        {
            waiting = condition switch
            {
                WaitCondition.Removed => entry.Removed,
                WaitCondition.NextExit => entry.NextExit,
                _ => entry.IsRunning || entry.IsStarting || entry.Status.State == ContainerState.Restarting
                    ? entry.NextExit
                    : Task.FromResult(entry.Result()),
            };
        }

        return Task.FromResult(waiting.WaitAsync(cancellationToken));
    }

    public async Task<IProcessSession> AttachAsync(Caller caller, string reference, AttachOptions options, CancellationToken cancellationToken)
    {
        var record = Get(caller, reference).Record;
        switch (record.Status.State)
        {
            case ContainerState.Paused:
                throw new CandelaException(ErrorCode.Conflict, $"container {record.Id} is paused, unpause the container before attach");
            case ContainerState.Restarting:
                throw new CandelaException(ErrorCode.Conflict, $"container {record.Id} is restarting, wait until the container is running");
            case ContainerState.Removing or ContainerState.Dead:
                throw new CandelaException(ErrorCode.Conflict, $"container {record.Id} is marked for removal and cannot be attached to");
        }

        var session = await machine.AttachAsync(record, options, cancellationToken);
        events.AddContainer(record, "attach");
        return session;
    }

    public Task ResizeAsync(Caller caller, string reference, ushort rows, ushort columns, CancellationToken cancellationToken) =>
        machine.ResizeAsync(Get(caller, reference).Id, rows, columns, cancellationToken);

    public async IAsyncEnumerable<LogEntry> ReadLogsAsync(
        Caller caller, string reference, LogOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var container = Get(caller, reference).Record;
        if (container.Spec.Log.Driver == LogDriver.None)
            throw new CandelaException(ErrorCode.NotSupported, "configured logging driver does not support reading");
        await foreach (var entry in machine.ReadLogsAsync(container.Id, options, cancellationToken).WithCancellation(cancellationToken))
            yield return entry;
    }

    public Task<Exec> CreateExecAsync(Caller caller, string reference, ExecSpec spec, CancellationToken cancellationToken) =>
        Task.FromResult(execs.Create(Get(caller, reference), spec));

    public Task<IProcessSession?> StartExecAsync(Caller caller, string execId, bool detach, (ushort Rows, ushort Columns)? size, CancellationToken cancellationToken) =>
        execs.StartAsync(caller.Project, execId, detach, size, cancellationToken);

    public Task<Exec> GetExecAsync(Caller caller, string execId, CancellationToken cancellationToken) =>
        Task.FromResult(execs.Get(caller.Project, execId).Exec);

    public Task ResizeExecAsync(Caller caller, string execId, ushort rows, ushort columns, CancellationToken cancellationToken) =>
        execs.ResizeAsync(caller.Project, execId, rows, columns, cancellationToken);

    public Task<ContainerStatistics> GetStatisticsAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        machine.GetStatisticsAsync(GetRunning(caller, reference).Id, cancellationToken);

    public async Task<IReadOnlyList<ProcessEntry>> ListProcessesAsync(Caller caller, string reference, CancellationToken cancellationToken)
    {
        var record = GetAwake(caller, reference);
        var processes = await machine.ListProcessesAsync(record.Id, cancellationToken);
        events.AddContainer(record, "top");
        return processes;
    }

    public async Task<ForkReport> ForkAsync(Caller caller, string reference, int count, IReadOnlyList<string>? names, CancellationToken cancellationToken)
    {
        var entry = Get(caller, reference);
        ForkReport? report = null;
        await background.RunToEndAsync(async () => report = await forks.ForkAsync(entry, count, names), cancellationToken);
        return report!;
    }

    public async Task ReadArchiveAsync(Caller caller, string reference, string path, Func<PathStat, Task<Stream>> begin, CancellationToken cancellationToken)
    {
        var record = GetWithFiles(caller, reference);
        await machine.ReadArchiveAsync(record, CheckPath(path), begin, cancellationToken);
        events.AddContainer(record, "archive-path");
    }

    public Task<PathStat> StatPathAsync(Caller caller, string reference, string path, CancellationToken cancellationToken) =>
        machine.StatPathAsync(GetWithFiles(caller, reference), CheckPath(path), cancellationToken);

    public async Task WriteArchiveAsync(Caller caller, string reference, string path, Stream tar, bool noOverwriteDirNonDir, CancellationToken cancellationToken)
    {
        var record = GetWithFiles(caller, reference);
        await machine.WriteArchiveAsync(record, CheckPath(path), tar, noOverwriteDirNonDir, cancellationToken);
        events.AddContainer(record, "extract-to-dir");
    }

    public async Task ExportAsync(Caller caller, string reference, Func<Task<Stream>> begin, CancellationToken cancellationToken)
    {
        var record = GetWithFiles(caller, reference);
        await machine.ExportAsync(record, begin, cancellationToken);
        events.AddContainer(record, "export");
    }

    public Task<IReadOnlyList<FileChange>> ReadChangesAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        machine.ReadChangesAsync(GetWithFiles(caller, reference), cancellationToken);

    public IAsyncEnumerable<ResourceEvent> ReadEventsAsync(Caller caller, DateTimeOffset? since, DateTimeOffset? until, CancellationToken cancellationToken) =>
        events.ReadAsync(caller.Project, since, until, cancellationToken);

    /// <summary>A stop without a kill may last for ever: it ends with its caller. Any other one is carried through.</summary>
    private static CancellationToken WhileWaiting(ContainerEntry entry, int? timeoutSeconds, CancellationToken cancellationToken) =>
        (timeoutSeconds ?? entry.Record.Spec.StopTimeoutSeconds) < 0 ? cancellationToken : CancellationToken.None;

    private static string CheckPath(string path) =>
        path.Length is > 0 and <= 4096 && !path.Contains('\0', StringComparison.Ordinal)
            ? path
            : throw new CandelaException(ErrorCode.InvalidArgument, "the path is empty, too long, or has a NUL character in it");

    private ContainerEntry Get(Caller caller, string reference)
    {
        projects.Check(caller.Project);
        return table.Get(caller.Project, reference);
    }

    private Container GetRunning(Caller caller, string reference)
    {
        var record = Get(caller, reference).Record;
        return record.Status.State is ContainerState.Running or ContainerState.Paused
            ? record
            : throw new CandelaException(ErrorCode.Conflict, $"container {record.Id} is not running");
    }

    /// <summary>A container whose files can be read: by its own agent, or by another one while it does not run.</summary>
    private Container GetWithFiles(Caller caller, string reference)
    {
        var record = Get(caller, reference).Record;
        return record.Status.State switch
        {
            ContainerState.Paused => throw new CandelaException(ErrorCode.Conflict, $"container {record.Id} is paused: unpause it first"),
            ContainerState.Removing or ContainerState.Dead => throw new CandelaException(ErrorCode.Conflict, "Container is marked for removal"),
            _ => record,
        };
    }

    /// <summary>A running container whose agent can answer.</summary>
    private Container GetAwake(Caller caller, string reference)
    {
        var record = GetRunning(caller, reference);
        return record.Status.State == ContainerState.Running
            ? record
            : throw new CandelaException(ErrorCode.Conflict, $"container {record.Id} is paused: unpause it first");
    }
}
