using System.Runtime.CompilerServices;
using Candela.Controller.Access;
using Candela.Controller.Containers;
using Candela.Identity.Authorization;
using Candela.Model;

namespace Candela.Controller.Audit;

/// <summary>Asks of every call of the container service whether its caller may, and records it.</summary>
internal sealed class AuditedContainerService(ContainerService inner, AccessControl access, AuditLog audit) : IContainerService
{
    public Task<Container> CreateAsync(Caller caller, string? name, ContainerSpec spec, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.create", name ?? "", async () =>
        {
            await access.RequireAsync(caller, ResourceKind.Container, Verb.Create, cancellationToken);
            return await inner.CreateAsync(caller, name, spec, cancellationToken);
        });

    public Task<Container> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.get", reference, Verb.Get, container => inner.GetAsync(caller, container, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<Container>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "container.list", "", async () => await access.FilterAsync(caller, await inner.ListAsync(caller, cancellationToken), cancellationToken));

    public Task StartAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.start", reference, Verb.Operate, container => inner.StartAsync(caller, container, cancellationToken), cancellationToken);

    public Task StopAsync(Caller caller, string reference, int? timeoutSeconds, string? signal, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.stop", reference, Verb.Operate, container => inner.StopAsync(caller, container, timeoutSeconds, signal, cancellationToken), cancellationToken);

    public Task RestartAsync(Caller caller, string reference, int? timeoutSeconds, string? signal, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.restart", reference, Verb.Operate, container => inner.RestartAsync(caller, container, timeoutSeconds, signal, cancellationToken), cancellationToken);

    public Task KillAsync(Caller caller, string reference, string? signal, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.kill", reference, Verb.Operate, container => inner.KillAsync(caller, container, signal, cancellationToken), cancellationToken);

    public Task PauseAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.pause", reference, Verb.Operate, container => inner.PauseAsync(caller, container, cancellationToken), cancellationToken);

    public Task UnpauseAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.unpause", reference, Verb.Operate, container => inner.UnpauseAsync(caller, container, cancellationToken), cancellationToken);

    public Task RenameAsync(Caller caller, string reference, string name, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.rename", reference, Verb.Update, container => inner.RenameAsync(caller, container, name, cancellationToken), cancellationToken, $"{reference} {name}");

    public Task UpdateAsync(Caller caller, string reference, ContainerUpdate update, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.update", reference, Verb.Update, container => inner.UpdateAsync(caller, container, update, cancellationToken), cancellationToken);

    public Task ConnectNetworkAsync(Caller caller, string reference, NetworkAttachment attachment, CancellationToken cancellationToken) =>
        RunAsync(caller, "network.connect", reference, Verb.Update, container => inner.ConnectNetworkAsync(caller, container, attachment, cancellationToken), cancellationToken, $"{attachment.Network} {reference}");

    public Task DisconnectNetworkAsync(Caller caller, string reference, string network, bool force, CancellationToken cancellationToken) =>
        RunAsync(caller, "network.disconnect", reference, Verb.Update, container => inner.DisconnectNetworkAsync(caller, container, network, force, cancellationToken), cancellationToken, $"{network} {reference}");

    public Task RemoveAsync(Caller caller, string reference, bool force, bool withVolumes, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.remove", reference, Verb.Delete, container => inner.RemoveAsync(caller, container, force, withVolumes, cancellationToken), cancellationToken);

    public Task<Task<WaitResult>> WaitAsync(Caller caller, string reference, WaitCondition condition, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.wait", reference, Verb.Get, container => inner.WaitAsync(caller, container, condition, cancellationToken), cancellationToken);

    public Task<IProcessSession> AttachAsync(Caller caller, string reference, AttachOptions options, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.attach", reference, Verb.Execute, container => inner.AttachAsync(caller, container, options, cancellationToken), cancellationToken);

    public Task ResizeAsync(Caller caller, string reference, ushort rows, ushort columns, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.resize", reference, Verb.Execute, container => inner.ResizeAsync(caller, container, rows, columns, cancellationToken), cancellationToken);

    public IAsyncEnumerable<LogEntry> ReadLogsAsync(Caller caller, string reference, LogOptions options, CancellationToken cancellationToken)
    {
        return audit.RunAsync(caller, "container.logs", reference, () => ReadAsync(cancellationToken), cancellationToken);

        async IAsyncEnumerable<LogEntry> ReadAsync([EnumeratorCancellation] CancellationToken token)
        {
            var container = await access.RequireContainerAsync(caller, reference, Verb.Logs, token);
            await foreach (var entry in inner.ReadLogsAsync(caller, container, options, token).WithCancellation(token))
                yield return entry;
        }
    }

    public Task<Exec> CreateExecAsync(Caller caller, string reference, ExecSpec spec, CancellationToken cancellationToken) =>
        RunAsync(caller, "exec.create", reference, Verb.Execute, container => inner.CreateExecAsync(caller, container, spec, cancellationToken), cancellationToken);

    public Task<IProcessSession?> StartExecAsync(Caller caller, string execId, bool detach, (ushort Rows, ushort Columns)? size, CancellationToken cancellationToken) =>
        RunExecAsync(caller, "exec.start", execId, () => inner.StartExecAsync(caller, execId, detach, size, cancellationToken), cancellationToken);

    public Task<Exec> GetExecAsync(Caller caller, string execId, CancellationToken cancellationToken) =>
        RunExecAsync(caller, "exec.get", execId, () => inner.GetExecAsync(caller, execId, cancellationToken), cancellationToken);

    public Task ResizeExecAsync(Caller caller, string execId, ushort rows, ushort columns, CancellationToken cancellationToken) =>
        RunExecAsync(caller, "exec.resize", execId, () => Done(inner.ResizeExecAsync(caller, execId, rows, columns, cancellationToken)), cancellationToken);

    public Task<ContainerStatistics> GetStatisticsAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.statistics", reference, Verb.Get, container => inner.GetStatisticsAsync(caller, container, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<ProcessEntry>> ListProcessesAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.processes", reference, Verb.Get, container => inner.ListProcessesAsync(caller, container, cancellationToken), cancellationToken);

    public Task<ForkReport> ForkAsync(Caller caller, string reference, int count, IReadOnlyList<string>? names, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.fork", reference, Verb.Fork, async container =>
        {
            await access.RequireAsync(caller, ResourceKind.Container, Verb.Create, cancellationToken);
            return await inner.ForkAsync(caller, container, count, names, cancellationToken);
        }, cancellationToken);

    public Task ReadArchiveAsync(Caller caller, string reference, string path, Func<PathStat, Task<Stream>> begin, CancellationToken cancellationToken) =>
        RunAsync(caller, "archive.read", reference, Verb.Execute, container => inner.ReadArchiveAsync(caller, container, path, begin, cancellationToken), cancellationToken, $"{reference}:{path}");

    public Task<PathStat> StatPathAsync(Caller caller, string reference, string path, CancellationToken cancellationToken) =>
        RunAsync(caller, "archive.stat", reference, Verb.Execute, container => inner.StatPathAsync(caller, container, path, cancellationToken), cancellationToken, $"{reference}:{path}");

    public Task WriteArchiveAsync(Caller caller, string reference, string path, Stream tar, bool noOverwriteDirNonDir, CancellationToken cancellationToken) =>
        RunAsync(
            caller, "archive.write", reference, Verb.Execute,
            container => inner.WriteArchiveAsync(caller, container, path, tar, noOverwriteDirNonDir, cancellationToken), cancellationToken, $"{reference}:{path}");

    public Task ExportAsync(Caller caller, string reference, Func<Task<Stream>> begin, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.export", reference, Verb.Execute, container => inner.ExportAsync(caller, container, begin, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<FileChange>> ReadChangesAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        RunAsync(caller, "container.changes", reference, Verb.Execute, container => inner.ReadChangesAsync(caller, container, cancellationToken), cancellationToken);

    public IAsyncEnumerable<ResourceEvent> ReadEventsAsync(Caller caller, DateTimeOffset? since, DateTimeOffset? until, CancellationToken cancellationToken)
    {
        return audit.RunAsync(caller, "events.read", "", () => ReadAsync(cancellationToken), cancellationToken);

        async IAsyncEnumerable<ResourceEvent> ReadAsync([EnumeratorCancellation] CancellationToken token)
        {
            await access.RequireAsync(caller, ResourceKind.Event, Verb.List, token);
            await foreach (var one in inner.ReadEventsAsync(caller, since, until, token).WithCancellation(token))
                yield return one;
        }
    }

    private Task<T> RunAsync<T>(Caller caller, string action, string reference, Verb verb, Func<string, Task<T>> call, CancellationToken cancellationToken, string? target = null) =>
        audit.RunAsync(caller, action, target ?? reference, async () => await call(await access.RequireContainerAsync(caller, reference, verb, cancellationToken)));

    private Task<bool> RunAsync(Caller caller, string action, string reference, Verb verb, Func<string, Task> call, CancellationToken cancellationToken, string? target = null) =>
        RunAsync(caller, action, reference, verb, container => Done(call(container)), cancellationToken, target);

    private Task<T> RunExecAsync<T>(Caller caller, string action, string execId, Func<Task<T>> call, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, action, execId, async () =>
        {
            await access.RequireExecAsync(caller, execId, cancellationToken);
            return await call();
        });

    private static async Task<bool> Done(Task task)
    {
        await task;
        return true;
    }
}
