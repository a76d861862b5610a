using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Threading.Channels;
using Candela.Controller;
using Candela.Model;

namespace Candela.Docker.Tests.Fake;

/// <summary>The Controller's contract over processes of this machine: enough for a real client to be driven against it.</summary>
internal sealed class FakeContainerService(FakeImageService images) : IContainerService, IDisposable
{
    private static readonly Dictionary<string, int> Signals = new(StringComparer.OrdinalIgnoreCase)
    {
        ["HUP"] = 1, ["INT"] = 2, ["QUIT"] = 3, ["KILL"] = 9, ["USR1"] = 10, ["TERM"] = 15,
    };

    private readonly ConcurrentDictionary<string, FakeContainer> _containers = new();
    private readonly ConcurrentDictionary<string, FakeExec> _execs = new();
    private readonly Lock _eventLock = new();
    private readonly List<ResourceEvent> _events = [];
    private readonly List<Channel<ResourceEvent>> _eventReaders = [];

    /// <summary>What the last creation asked for.</summary>
    public ContainerSpec? LastSpec { get; private set; }

    /// <summary>What the last update asked for.</summary>
    public ContainerUpdate? LastUpdate { get; private set; }

    public async Task<Container> CreateAsync(Caller caller, string? name, ContainerSpec spec, CancellationToken cancellationToken)
    {
        var image = await images.GetAsync(caller, spec.Image, cancellationToken);
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        name ??= "made_up_" + id[..6];
        if (_containers.Values.FirstOrDefault(other => other.Record.Name == name) is { } holder)
            throw new CandelaException(ErrorCode.AlreadyExists, $"The name {name} is taken by {holder.Record.Id}.");
        var entrypoint = spec.Entrypoint ?? image.Configuration.Entrypoint ?? [];
        var command = spec.Command ?? (spec.Entrypoint is null ? image.Configuration.Command : null) ?? [];
        if (entrypoint.Count + command.Count == 0)
            throw new CandelaException(ErrorCode.InvalidArgument, "No command specified");
        LastSpec = spec;
        var container = new FakeContainer(new Container
        {
            Id = id,
            Name = name,
            Project = caller.Project,
            CreatedAt = DateTimeOffset.UtcNow,
            ImageId = image.Id,
            Spec = spec,
            Process = new ProcessConfiguration
            {
                Arguments = [.. entrypoint, .. command],
                Environment = [.. image.Configuration.Environment, .. spec.Environment],
                WorkingDirectory = spec.WorkingDirectory ?? "/",
                Tty = spec.Tty,
                OpenStdin = spec.OpenStdin,
            },
            Status = new ContainerStatus(),
        });
        _containers[id] = container;
        Happen("container", "create", container);
        return container.Record;
    }

    public Task<Container> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) => Task.FromResult(Find(reference).Record);

    public Task<IReadOnlyList<Container>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Container>>([.. _containers.Values.Select(container => container.Record).OrderByDescending(record => record.CreatedAt)]);

    public Task StartAsync(Caller caller, string reference, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        lock (container)
        {
            if (container.Running)
                throw new CandelaException(ErrorCode.NotModified, "It runs already.");
            if (container.Started.Task.IsCompleted)
                (container.Started, container.Exited) = (new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously));
            try
            {
                container.Process = HostProcess.Start(container.Record.Process, container.Size);
            }
            catch (CandelaException e)
            {
                container.Update(status => status with
                {
                    State = ContainerState.Exited,
                    ExitCode = e.Code == ErrorCode.CommandNotFound ? 127 : 126,
                    Error = e.Message,
                    FinishedAt = DateTimeOffset.UtcNow,
                });
                End(container);
                throw;
            }

            container.Update(status => status with
            {
                State = ContainerState.Running, Pid = container.Process.Pid, StartedAt = DateTimeOffset.UtcNow, FinishedAt = null, ExitCode = 0,
            });
        }

        Happen("container", "start", container);
        container.Started.TrySetResult(container.Process);
        _ = FollowAsync(container, container.Process);
        return Task.CompletedTask;
    }

    public async Task StopAsync(Caller caller, string reference, int? timeoutSeconds, string? signal, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        if (!container.Running)
            throw new CandelaException(ErrorCode.NotModified, "It does not run.");
        var exited = container.Exited.Task;
        container.Process!.Signal(Number(signal ?? container.Record.Spec.StopSignal ?? "TERM"));
        var timeout = timeoutSeconds ?? container.Record.Spec.StopTimeoutSeconds ?? 10;
        if (await Task.WhenAny(exited, Task.Delay(TimeSpan.FromSeconds(timeout), cancellationToken)) != exited)
            container.Process.Signal(9);
        await exited.WaitAsync(cancellationToken);
        Happen("container", "stop", container);
    }

    public async Task RestartAsync(Caller caller, string reference, int? timeoutSeconds, string? signal, CancellationToken cancellationToken)
    {
        if (Find(reference).Running)
            await StopAsync(caller, reference, timeoutSeconds, signal, cancellationToken);
        await StartAsync(caller, reference, cancellationToken);
        Happen("container", "restart", Find(reference));
    }

    public Task KillAsync(Caller caller, string reference, string? signal, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        if (!container.Running)
            throw new CandelaException(ErrorCode.Conflict, "It does not run.");
        Happen("container", "kill", container);
        container.Process!.Signal(Number(signal ?? "KILL"));
        return Task.CompletedTask;
    }

    public Task PauseAsync(Caller caller, string reference, CancellationToken cancellationToken) => Switch(reference, ContainerState.Running, ContainerState.Paused, 19, "pause");

    public Task UnpauseAsync(Caller caller, string reference, CancellationToken cancellationToken) => Switch(reference, ContainerState.Paused, ContainerState.Running, 18, "unpause");

    public Task ConnectNetworkAsync(Caller caller, string reference, NetworkAttachment attachment, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        container.Record = container.Record with { Networks = [.. container.Record.Networks, attachment] };
        return Task.CompletedTask;
    }

    public Task DisconnectNetworkAsync(Caller caller, string reference, string network, bool force, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        container.Record = container.Record with { Networks = [.. container.Record.Networks.Where(n => n.Network != network)] };
        return Task.CompletedTask;
    }

    public Task RenameAsync(Caller caller, string reference, string name, CancellationToken cancellationToken)
    {
        if (_containers.Values.Any(other => other.Record.Name == name))
            throw new CandelaException(ErrorCode.AlreadyExists, $"The name {name} is taken.");
        var container = Find(reference);
        container.Record = container.Record with { Name = name };
        Happen("container", "rename", container);
        return Task.CompletedTask;
    }

    public Task UpdateAsync(Caller caller, string reference, ContainerUpdate update, CancellationToken cancellationToken)
    {
        LastUpdate = update;
        Find(reference);
        return Task.CompletedTask;
    }

    public async Task RemoveAsync(Caller caller, string reference, bool force, bool withVolumes, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        if (container.Running)
        {
            if (!force)
                throw new CandelaException(ErrorCode.Conflict, "It runs: stop it first.");
            var exited = container.Exited.Task;
            container.Process!.Signal(9);
            await exited.WaitAsync(cancellationToken);
        }

        Remove(container);
    }

    public Task<Task<WaitResult>> WaitAsync(Caller caller, string reference, WaitCondition condition, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        var waiting = condition switch
        {
            WaitCondition.Removed => container.Removed.Task,
            WaitCondition.NextExit => NextExit(container),
            _ => container.Running ? container.Exited.Task : Task.FromResult(new WaitResult(container.Record.Status.ExitCode, container.Record.Status.Error)),
        };
        return Task.FromResult(waiting);

        static Task<WaitResult> NextExit(FakeContainer container)
        {
            if (!container.Running && container.Exited.Task.IsCompleted)
            {
                container.Exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
                container.Started = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return container.Exited.Task;
        }
    }

    public Task<IProcessSession> AttachAsync(Caller caller, string reference, AttachOptions options, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        if (!container.Running && container.Started.Task.IsCompleted)
        {
            container.Hub = new OutputHub();
            container.Started = new(TaskCreationOptions.RunContinuationsAsynchronously);
            container.Exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return Task.FromResult<IProcessSession>(
            new FakeSession(container.Hub, container.Hub.Subscribe(options.Logs), container.Started.Task, options, container.Record.Spec.Tty));
    }

    public Task ResizeAsync(Caller caller, string reference, ushort rows, ushort columns, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        container.Size = (rows, columns);
        container.Process?.Resize(rows, columns);
        return Task.CompletedTask;
    }

    public IAsyncEnumerable<LogEntry> ReadLogsAsync(Caller caller, string reference, LogOptions options, CancellationToken cancellationToken) =>
        Find(reference).Hub.ReadLogAsync(options, cancellationToken);

    public Task<Exec> CreateExecAsync(Caller caller, string reference, ExecSpec spec, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        if (container.Record.Status.State != ContainerState.Running)
            throw new CandelaException(ErrorCode.Conflict, "It does not run.");
        var exec = new Exec { Id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)), ContainerId = container.Record.Id, Spec = spec };
        _execs[exec.Id] = new FakeExec(exec);
        Happen("container", $"exec_create: {string.Join(' ', spec.Arguments)}", container);
        return Task.FromResult(exec);
    }

    public Task<IProcessSession?> StartExecAsync(Caller caller, string execId, bool detach, (ushort Rows, ushort Columns)? size, CancellationToken cancellationToken)
    {
        var exec = FindExec(execId);
        var spec = exec.Record.Spec;
        var parent = Find(exec.Record.ContainerId).Record.Process;
        var configuration = new ProcessConfiguration
        {
            Arguments = spec.Arguments,
            Environment = [.. parent.Environment, .. spec.Environment],
            WorkingDirectory = spec.WorkingDirectory ?? parent.WorkingDirectory,
            Tty = spec.Tty,
            OpenStdin = spec.AttachStdin,
        };
        HostProcess process;
        try
        {
            process = HostProcess.Start(configuration, size);
        }
        catch (CandelaException e)
        {
            exec.Record = exec.Record with { ExitCode = e.Code == ErrorCode.CommandNotFound ? 127 : 126 };
            throw;
        }

        exec.Process = process;
        exec.Record = exec.Record with { Running = true, Pid = process.Pid };
        var hub = new OutputHub();
        var options = new AttachOptions { Stdin = spec.AttachStdin, Stdout = spec.AttachStdout, Stderr = spec.AttachStderr };
        var session = detach ? null : new FakeSession(hub, hub.Subscribe(logsFirst: false), Task.FromResult(process), options, spec.Tty);
        _ = RunAsync();
        return Task.FromResult<IProcessSession?>(session);

        async Task RunAsync()
        {
            var code = await process.RunAsync(hub.PublishAsync);
            exec.Record = exec.Record with { Running = false, ExitCode = code };
            hub.End();
            process.Dispose();
        }
    }

    public Task<Exec> GetExecAsync(Caller caller, string execId, CancellationToken cancellationToken) => Task.FromResult(FindExec(execId).Record);

    public Task ResizeExecAsync(Caller caller, string execId, ushort rows, ushort columns, CancellationToken cancellationToken)
    {
        FindExec(execId).Process?.Resize(rows, columns);
        return Task.CompletedTask;
    }

    public Task<ContainerStatistics> GetStatisticsAsync(Caller caller, string reference, CancellationToken cancellationToken)
    {
        if (!Find(reference).Running)
            throw new CandelaException(ErrorCode.Conflict, "It does not run.");
        var now = Stopwatch.GetTimestamp() * (1_000_000_000L / Stopwatch.Frequency);
        return Task.FromResult(new ContainerStatistics
        {
            ReadAt = DateTimeOffset.UtcNow,
            CpuTotalNanoseconds = now / 2,
            CpuUserNanoseconds = now / 4,
            CpuSystemNanoseconds = now / 4,
            SystemTotalNanoseconds = now,
            OnlineCpus = 1,
            MemoryBytes = 48 << 20,
            MemoryInactiveFileBytes = 16 << 20,
            MemoryAnonymousBytes = 20 << 20,
            MemoryLimitBytes = 512 << 20,
            ReadBytes = 1_500_000,
            WriteBytes = 2_500_000,
            Pids = 3,
        });
    }

    public Task<IReadOnlyList<ProcessEntry>> ListProcessesAsync(Caller caller, string reference, CancellationToken cancellationToken)
    {
        var container = Find(reference);
        return Task.FromResult<IReadOnlyList<ProcessEntry>>(
        [
            new ProcessEntry(1, 0, 0, DateTimeOffset.UtcNow.AddMinutes(-1), TimeSpan.FromSeconds(2), "?", string.Join(' ', container.Record.Process.Arguments)),
            new ProcessEntry(7, 1, 1000, DateTimeOffset.UtcNow, TimeSpan.Zero, "pts/0", "child"),
        ]);
    }

    public Task<ForkReport> ForkAsync(Caller caller, string reference, int count, IReadOnlyList<string>? names, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public async Task ReadArchiveAsync(Caller caller, string reference, string path, Func<PathStat, Task<Stream>> begin, CancellationToken cancellationToken)
    {
        var stat = await StatPathAsync(caller, reference, path, cancellationToken);
        using var tar = Process.Start(new ProcessStartInfo("tar", ["-cf", "-", "-C", Path.GetDirectoryName(path.TrimEnd('/'))!, stat.Name]) { RedirectStandardOutput = true })!;
        var target = await begin(stat);
        await tar.StandardOutput.BaseStream.CopyToAsync(target, cancellationToken);
        await tar.WaitForExitAsync(cancellationToken);
    }

    public Task<PathStat> StatPathAsync(Caller caller, string reference, string path, CancellationToken cancellationToken)
    {
        Find(reference);
        path = path.TrimEnd('/');
        if (Directory.Exists(path))
            return Task.FromResult(new PathStat(Path.GetFileName(path), 4096, 0x4000 | (uint)File.GetUnixFileMode(path), Directory.GetLastWriteTimeUtc(path), ""));
        if (!File.Exists(path))
            throw new CandelaException(ErrorCode.NotFound, $"There is no {path}.");
        return Task.FromResult(new PathStat(Path.GetFileName(path), new FileInfo(path).Length, 0x8000 | (uint)File.GetUnixFileMode(path), File.GetLastWriteTimeUtc(path), ""));
    }

    public async Task WriteArchiveAsync(Caller caller, string reference, string path, Stream tar, bool noOverwriteDirNonDir, CancellationToken cancellationToken)
    {
        await StatPathAsync(caller, reference, path, cancellationToken);
        using var unpack = Process.Start(new ProcessStartInfo("tar", ["-xf", "-", "-C", path]) { RedirectStandardInput = true })!;
        await tar.CopyToAsync(unpack.StandardInput.BaseStream, cancellationToken);
        unpack.StandardInput.Close();
        await unpack.WaitForExitAsync(cancellationToken);
        Assert.Equal(0, unpack.ExitCode);
    }

    public async Task ExportAsync(Caller caller, string reference, Func<Task<Stream>> begin, CancellationToken cancellationToken)
    {
        Find(reference);
        await (await begin()).WriteAsync("a tar"u8.ToArray(), cancellationToken);
    }

    public Task<IReadOnlyList<FileChange>> ReadChangesAsync(Caller caller, string reference, CancellationToken cancellationToken)
    {
        Find(reference);
        return Task.FromResult<IReadOnlyList<FileChange>>(
            [new FileChange("/etc", FileChangeKind.Modified), new FileChange("/etc/new", FileChangeKind.Added), new FileChange("/etc/old", FileChangeKind.Deleted)]);
    }

    public async IAsyncEnumerable<ResourceEvent> ReadEventsAsync(
        Caller caller, DateTimeOffset? since, DateTimeOffset? until, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateUnbounded<ResourceEvent>();
        lock (_eventLock)
        {
            foreach (var old in _events.Where(old => since is not null && old.At >= since))
                channel.Writer.TryWrite(old);
            _eventReaders.Add(channel);
        }

        if (until is { } end)
        {
            var rest = end - DateTimeOffset.UtcNow;
            _ = Task.Delay(rest < TimeSpan.Zero ? TimeSpan.Zero : rest, cancellationToken).ContinueWith(_ => channel.Writer.TryComplete(), TaskScheduler.Default);
        }

        await foreach (var happening in channel.Reader.ReadAllAsync(cancellationToken))
        {
            if (until is null || happening.At <= until)
                yield return happening;
        }
    }

    public void Dispose()
    {
        foreach (var container in _containers.Values)
            container.Process?.Dispose();
        foreach (var exec in _execs.Values)
            exec.Process?.Dispose();
    }

    private async Task FollowAsync(FakeContainer container, HostProcess process)
    {
        var code = await process.RunAsync(container.Hub.PublishAsync);
        container.Update(status => status with { State = ContainerState.Exited, ExitCode = code, Pid = 0, FinishedAt = DateTimeOffset.UtcNow });
        Happen("container", "die", container, ("exitCode", code.ToString(CultureInfo.InvariantCulture)));
        container.Process = null;
        process.Dispose();
        End(container);
    }

    private void End(FakeContainer container)
    {
        var status = container.Record.Status;
        container.Hub.End();
        container.Exited.TrySetResult(new WaitResult(status.ExitCode, status.Error));
        if (container.Record.Spec.AutoRemove)
            Remove(container);
    }

    private void Remove(FakeContainer container)
    {
        _containers.TryRemove(container.Record.Id, out _);
        Happen("container", "destroy", container);
        container.Removed.TrySetResult(new WaitResult(container.Record.Status.ExitCode, container.Record.Status.Error));
    }

    private Task Switch(string reference, ContainerState from, ContainerState to, int signal, string action)
    {
        var container = Find(reference);
        if (container.Record.Status.State != from)
            throw new CandelaException(ErrorCode.Conflict, $"It is not {from}.");
        container.Process!.Signal(signal);
        container.Update(status => status with { State = to });
        Happen("container", action, container);
        return Task.CompletedTask;
    }

    private FakeContainer Find(string reference) =>
        _containers.Values.FirstOrDefault(container => container.Record.Name == reference.TrimStart('/'))
        ?? _containers.Values.FirstOrDefault(container => reference.Length > 0 && container.Record.Id.StartsWith(reference, StringComparison.Ordinal))
        ?? throw new CandelaException(ErrorCode.NotFound, $"There is no container {reference}.");

    private FakeExec FindExec(string id) => _execs.GetValueOrDefault(id) ?? throw new CandelaException(ErrorCode.NotFound, $"There is no exec {id}.");

    private void Happen(string kind, string action, FakeContainer container, params ReadOnlySpan<(string Name, string Value)> more)
    {
        var attributes = new Dictionary<string, string> { ["name"] = container.Record.Name, ["image"] = container.Record.Spec.Image };
        foreach (var (name, value) in more)
            attributes[name] = value;
        lock (_eventLock)
        {
            var happening = new ResourceEvent(_events.Count + 1, DateTimeOffset.UtcNow, kind, action, container.Record.Id, attributes);
            _events.Add(happening);
            foreach (var reader in _eventReaders)
                reader.Writer.TryWrite(happening);
        }
    }

    private static int Number(string signal)
    {
        if (int.TryParse(signal, CultureInfo.InvariantCulture, out var number))
            return number;
        var name = signal.StartsWith("SIG", StringComparison.OrdinalIgnoreCase) ? signal[3..] : signal;
        return Signals.TryGetValue(name, out number) ? number : throw new CandelaException(ErrorCode.InvalidArgument, $"Invalid signal: {signal}");
    }
}
