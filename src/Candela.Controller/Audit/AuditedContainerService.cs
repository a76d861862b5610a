using Candela.Controller.Containers;
using Candela.Model;

namespace Candela.Controller.Audit;

/// <summary>Records every call of the container service.</summary>
internal sealed class AuditedContainerService(ContainerService inner, AuditLog audit) : IContainerService
{
    public Task<Container> CreateAsync(Caller caller, string? name, ContainerSpec spec, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.create", name ?? "", () => inner.CreateAsync(caller, name, spec, cancellationToken));

    public Task<Container> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.get", reference, () => inner.GetAsync(caller, reference, cancellationToken));

    public Task<IReadOnlyList<Container>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.list", "", () => inner.ListAsync(caller, cancellationToken));

    public Task StartAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.start", reference, () => inner.StartAsync(caller, reference, cancellationToken));

    public Task StopAsync(Caller caller, string reference, int? timeoutSeconds, string? signal, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.stop", reference, () => inner.StopAsync(caller, reference, timeoutSeconds, signal, cancellationToken));

    public Task RestartAsync(Caller caller, string reference, int? timeoutSeconds, string? signal, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.restart", reference, () => inner.RestartAsync(caller, reference, timeoutSeconds, signal, cancellationToken));

    public Task KillAsync(Caller caller, string reference, string? signal, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.kill", reference, () => inner.KillAsync(caller, reference, signal, cancellationToken));

    public Task PauseAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.pause", reference, () => inner.PauseAsync(caller, reference, cancellationToken));

    public Task UnpauseAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.unpause", reference, () => inner.UnpauseAsync(caller, reference, cancellationToken));

    public Task RenameAsync(Caller caller, string reference, string name, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.rename", $"{reference} {name}", () => inner.RenameAsync(caller, reference, name, cancellationToken));

    public Task ConnectNetworkAsync(Caller caller, string reference, NetworkAttachment attachment, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network.connect", $"{attachment.Network} {reference}", () => inner.ConnectNetworkAsync(caller, reference, attachment, cancellationToken));

    public Task DisconnectNetworkAsync(Caller caller, string reference, string network, bool force, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network.disconnect", $"{network} {reference}", () => inner.DisconnectNetworkAsync(caller, reference, network, force, cancellationToken));

    public Task RemoveAsync(Caller caller, string reference, bool force, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.remove", reference, () => inner.RemoveAsync(caller, reference, force, cancellationToken));

    public Task<Task<WaitResult>> WaitAsync(Caller caller, string reference, WaitCondition condition, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.wait", reference, () => inner.WaitAsync(caller, reference, condition, cancellationToken));

    public Task<IProcessSession> AttachAsync(Caller caller, string reference, AttachOptions options, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.attach", reference, () => inner.AttachAsync(caller, reference, options, cancellationToken));

    public Task ResizeAsync(Caller caller, string reference, ushort rows, ushort columns, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.resize", reference, () => inner.ResizeAsync(caller, reference, rows, columns, cancellationToken));

    public IAsyncEnumerable<LogEntry> ReadLogsAsync(Caller caller, string reference, LogOptions options, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.logs", reference, () => inner.ReadLogsAsync(caller, reference, options, cancellationToken), cancellationToken);

    public Task<Exec> CreateExecAsync(Caller caller, string reference, ExecSpec spec, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "exec.create", reference, () => inner.CreateExecAsync(caller, reference, spec, cancellationToken));

    public Task<IProcessSession?> StartExecAsync(Caller caller, string execId, bool detach, (ushort Rows, ushort Columns)? size, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "exec.start", execId, () => inner.StartExecAsync(caller, execId, detach, size, cancellationToken));

    public Task<Exec> GetExecAsync(Caller caller, string execId, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "exec.get", execId, () => inner.GetExecAsync(caller, execId, cancellationToken));

    public Task ResizeExecAsync(Caller caller, string execId, ushort rows, ushort columns, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "exec.resize", execId, () => inner.ResizeExecAsync(caller, execId, rows, columns, cancellationToken));

    public Task<ContainerStatistics> GetStatisticsAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.statistics", reference, () => inner.GetStatisticsAsync(caller, reference, cancellationToken));

    public Task<IReadOnlyList<ProcessEntry>> ListProcessesAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.processes", reference, () => inner.ListProcessesAsync(caller, reference, cancellationToken));

    public Task<ForkReport> ForkAsync(Caller caller, string reference, int count, IReadOnlyList<string>? names, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.fork", reference, () => inner.ForkAsync(caller, reference, count, names, cancellationToken));

    public Task ReadArchiveAsync(Caller caller, string reference, string path, Func<PathStat, Task<Stream>> begin, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "archive.read", $"{reference}:{path}", () => inner.ReadArchiveAsync(caller, reference, path, begin, cancellationToken));

    public Task<PathStat> StatPathAsync(Caller caller, string reference, string path, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "archive.stat", $"{reference}:{path}", () => inner.StatPathAsync(caller, reference, path, cancellationToken));

    public Task WriteArchiveAsync(Caller caller, string reference, string path, Stream tar, bool noOverwriteDirNonDir, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "archive.write", $"{reference}:{path}", () => inner.WriteArchiveAsync(caller, reference, path, tar, noOverwriteDirNonDir, cancellationToken));

    public Task ExportAsync(Caller caller, string reference, Func<Task<Stream>> begin, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.export", reference, () => inner.ExportAsync(caller, reference, begin, cancellationToken));

    public Task<IReadOnlyList<FileChange>> ReadChangesAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.changes", reference, () => inner.ReadChangesAsync(caller, reference, cancellationToken));

    public IAsyncEnumerable<ResourceEvent> ReadEventsAsync(Caller caller, DateTimeOffset? since, DateTimeOffset? until, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "events.read", "", () => inner.ReadEventsAsync(caller, since, until, cancellationToken), cancellationToken);
}
