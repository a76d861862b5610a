using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Candela.Microvisor.Native;
using Candela.Model;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Qemu;

/// <summary>Micro-VMs in jailed QEMU processes.</summary>
public sealed class QemuMicrovisor : IMicrovisor
{
    /// <summary>Name of this driver.</summary>
    public const string DriverName = "qemu";

    // Raised when the format of kept snapshots changes.
    private const int SnapshotFormat = 1;
    private const int RunFolderBytes = 80;

    private readonly QemuOptions _options;
    private readonly ILogger<QemuMicrovisor> _logger;
    private readonly VmmContext _context;
    private readonly DriverReport _report;
    private readonly ParentStore _store;
    private readonly PreparationSlots _slots;
    private readonly ConcurrentDictionary<string, Lazy<Task<Parent>>> _parents = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ParentStatus> _kept = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _closing = new();

    private QemuMicrovisor(QemuOptions options, VmmContext context, DriverReport report, ILogger<QemuMicrovisor> logger)
    {
        _options = options;
        _context = context;
        _report = report;
        _logger = logger;
        _slots = new PreparationSlots(options.PreparationParallelism > 0 ? options.PreparationParallelism : Environment.ProcessorCount);
        _store = new ParentStore(options.ParentsFolder, options.GuestVersion, $"{SnapshotFormat}-{CommandLine.Fingerprint(options, context.Accelerator, default):x8} {report.Version} {report.Accelerator}{(report.Accelerator == "tcg" ? "" : " " + CpuModel())}");
        foreach (ParentStatus status in _store.List())
            _kept[status.Key] = status;
    }

    /// <summary>Opens the driver: finds QEMU, chooses the accelerator, lists the parents that are kept.</summary>
    /// <exception cref="CandelaException">Unavailable: QEMU or the jailer is missing; InvalidArgument: a folder's path is too long.</exception>
    public static async Task<QemuMicrovisor> OpenAsync(QemuOptions options, ILogger<QemuMicrovisor> logger, CancellationToken cancellationToken)
    {
        if (Encoding.UTF8.GetByteCount(options.RunFolder) > RunFolderBytes)
            throw new CandelaException(ErrorCode.InvalidArgument, $"the run folder's path is longer than {RunFolderBytes} bytes, so sockets below it cannot be named: {options.RunFolder}");
        if (!File.Exists(options.JailerPath))
            throw new CandelaException(ErrorCode.Unavailable, $"{options.JailerPath} is missing: build Candela with eng/build");
        string version = await VersionAsync(options.QemuPath, cancellationToken);
        Directory.CreateDirectory(options.RunFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var cgroups = new Cgroups(VmmFolder.Hash(options.RunFolder).ToString("x8", CultureInfo.InvariantCulture), await File.ReadAllLinesAsync("/proc/self/mountinfo", cancellationToken));
        var watcher = new ExitWatcher();
        try
        {
            VmmContext Context(Accelerator accelerator) => new(options, cgroups, watcher, accelerator);
            (Accelerator accelerator, DriverReport report) = await AcceleratorProbe.RunAsync(options, version, Context, logger, cancellationToken);
            return new QemuMicrovisor(options, Context(accelerator), report, logger);
        }
        catch
        {
            watcher.Dispose();
            throw;
        }
    }

    /// <summary>
    /// What VMMs do while they wait for a claim, or null. It moves the translation of a container's start out of the start itself; where
    /// the CPU runs the guest's code as it is there is nothing to translate, and nothing is rehearsed.
    /// </summary>
    public Rehearsal? Rehearsal
    {
        get => _context.Accelerator == Accelerator.Tcg ? field : null;
        set;
    }

    /// <inheritdoc/>
    public Task<DriverReport> ProbeAsync(CancellationToken cancellationToken) => Task.FromResult(_report);

    /// <inheritdoc/>
    public IReadOnlyList<ParentStatus> ListParents() =>
        [.. _kept.Values.Select(s => _parents.TryGetValue(s.Key, out var parent) && parent.Value.IsCompletedSuccessfully ? parent.Value.Result.Status : s).OrderBy(s => s.Key, StringComparer.Ordinal)];

    /// <inheritdoc/>
    public async Task<ParentStatus> EnsureParentAsync(MicroVmSize size, CancellationToken cancellationToken)
    {
        try
        {
            Parent parent = await ParentAsync(size, cancellationToken);
            await parent.Pool.FillAsync().WaitAsync(cancellationToken);
            return parent.Status;
        }
        catch (Exception e)
        {
            throw Translated(e);
        }
    }

    /// <inheritdoc/>
    public async Task RemoveParentAsync(string key, CancellationToken cancellationToken)
    {
        if (!_kept.TryRemove(key, out _))
            throw new CandelaException(ErrorCode.NotFound, $"no such parent: {key}");
        _store.Delete(key);
        if (_parents.TryRemove(key, out Lazy<Task<Parent>>? parent))
            await (await parent.Value).DisposeAsync();
    }

    /// <inheritdoc/>
    public async Task<IMicroVm> CloneAsync(CloneSpec spec, CancellationToken cancellationToken)
    {
        var clock = new Stages();
        VmmProcess? process = null;
        try
        {
            (Parent parent, process) = await ClaimAsync(spec.Size, clock, cancellationToken);
            MicroVmRecord record = await QemuMicroVm.WakeAsync(process, spec, parent.Status.Key, cancellationToken);
            clock.Mark("wake");
            return new QemuMicroVm(process, record, clock.All);
        }
        catch (Exception e)
        {
            if (process is not null)
                await process.EndAsync();
            throw Translated(e);
        }
    }

    /// <inheritdoc/>
    public async Task<ForkResult> ForkAsync(IMicroVm source, IReadOnlyList<CloneSpec> forks, Func<CancellationToken, Task> whilePaused, CancellationToken cancellationToken)
    {
        var original = (QemuMicroVm)source;
        MicroVmSize size = original.Record.Size;
        var clock = new Stages();
        using LiveFork memory = LiveFork.Open(original.Record.ProcessId, size.MemoryBytes);
        using SafeFileHandle copy = MemoryFile.Create("candela-fork", size.MemoryBytes);
        var processes = new ConcurrentDictionary<int, VmmProcess>();
        try
        {
            await Task.Run(() => memory.CopyBase(copy, cancellationToken), cancellationToken);
            clock.Mark("base");
            (SafeFileHandle state, TimeSpan pause) = await SnapshotAsync(original, memory, copy, whilePaused, clock, cancellationToken);
            using SafeFileHandle devices = state;
            MemoryFile.Seal(copy);

            var vms = new IMicroVm[forks.Count];
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(2, Environment.ProcessorCount), CancellationToken = cancellationToken };
            await Parallel.ForAsync(0, forks.Count, parallel, async (i, token) =>
            {
                var stages = new Stages();
                VmmProcess process = await Parent.StartAsync(_context, size, copy, devices, lowPriority: false, token);
                processes[i] = process;
                stages.Mark("vmm");
                await process.LoadDevicesAsync(token);
                stages.Mark("devices");
                MicroVmRecord record = await QemuMicroVm.WakeAsync(process, forks[i] with { Size = size }, $"fork-{original.Record.Id}", token);
                stages.Mark("wake");
                vms[i] = new QemuMicroVm(process, record, stages.All);
            });
            clock.Mark("forks");
            return new ForkResult(vms, pause, clock.All);
        }
        catch (Exception e)
        {
            await Task.WhenAll(processes.Values.Select(p => p.EndAsync()));
            throw Translated(e);
        }
    }

    /// <inheritdoc/>
    public async Task<IMicroVm?> AdoptAsync(MicroVmRecord record, CancellationToken cancellationToken)
    {
        VmmProcess? process = await VmmProcess.AdoptAsync(_context, record.Folder, record.ProcessId, record.ProcessStartTicks, cancellationToken);
        return process is null ? null : new QemuMicroVm(process, record, []);
    }

    /// <inheritdoc/>
    public async Task CleanOrphansAsync(IReadOnlySet<string> known, CancellationToken cancellationToken)
    {
        foreach (VmmFolder folder in VmmFolder.List(_options.RunFolder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!known.Contains(folder.Name))
                await VmmProcess.EndRemainsAsync(_context, folder);
        }

        foreach (string name in _context.Cgroups.List())
        {
            if (!known.Contains(name) && VmmFolder.Find(_options.RunFolder, name) is null)
                _context.Cgroups.TryRemove(name);
        }
    }

    /// <summary>Ends the waiting VMMs and lets go of the micro-VMs, which go on.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        foreach (Lazy<Task<Parent>> parent in _parents.Values)
        {
            try
            {
                await (await parent.Value).DisposeAsync();
            }
            catch (Exception e) when (e is OperationCanceledException or CandelaException)
            {
                // A parent that was still being made.
            }
        }

        _context.Watcher.Dispose();
        foreach (VmmProcess process in _context.Held.Keys)
            process.LetGo();
        await _context.Taps.FinishAsync();
        _slots.Dispose();
        _closing.Dispose();
    }

    private static async Task<(SafeFileHandle Devices, TimeSpan Pause)> SnapshotAsync(
        QemuMicroVm original, LiveFork memory, SafeFileHandle copy, Func<CancellationToken, Task> whilePaused, Stages clock, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        SafeFileHandle? devices = null;
        await original.PauseAsync(cancellationToken);
        try
        {
            devices = await original.Process.SaveDevicesAsync(cancellationToken);
            memory.CopyPrivatePages(copy);
            clock.Mark("changed pages");
            await whilePaused(cancellationToken);
            clock.Mark("disks");
        }
        catch
        {
            devices?.Dispose();
            throw;
        }
        finally
        {
            await original.ResumeAsync(CancellationToken.None);
        }

        return (devices, Stopwatch.GetElapsedTime(start));
    }

    private static Exception Translated(Exception failure) => failure switch
    {
        CandelaException or OperationCanceledException => failure,
        IOException { HResult: 28 } or OutOfMemoryException => new CandelaException(ErrorCode.ResourceExhausted, $"the host has no room for another micro-VM: {failure.Message}", failure),
        TimeoutException => new CandelaException(ErrorCode.Unavailable, failure.Message, failure),
        _ => new CandelaException(ErrorCode.Internal, $"the micro-VM did not start: {failure.Message}", failure),
    };

    private static async Task<string> VersionAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(path, "--version") { RedirectStandardOutput = true, RedirectStandardError = true })!;
            string text = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return text.Split('\n')[0].Trim();
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new CandelaException(ErrorCode.Unavailable, $"{path} cannot be run ({e.Message}): install the package qemu-system-x86", e);
        }
    }

    private static string CpuModel() => File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) ?? "";

    private async Task<(Parent Parent, VmmProcess Process)> ClaimAsync(MicroVmSize size, Stages clock, CancellationToken cancellationToken)
    {
        while (true)
        {
            Parent parent = await ParentAsync(size, cancellationToken);
            clock.Mark("parent");
            try
            {
                VmmProcess process = await parent.Pool.TakeAsync(cancellationToken);
                clock.Mark("claim");
                return (parent, process);
            }
            catch (ObjectDisposedException)
            {
                // Removed meanwhile: it is made anew.
                if (_closing.IsCancellationRequested)
                    throw new CandelaException(ErrorCode.Unavailable, "the microvisor is closing");
            }
        }
    }

    private async Task<Parent> ParentAsync(MicroVmSize size, CancellationToken cancellationToken)
    {
        MicroVmLimits.Check(size);
        string key = $"{_options.GuestVersion}-{_report.Accelerator}-{size.VCpus}c-{size.MemoryBytes >> 20}m";
        Lazy<Task<Parent>> entry = _parents.GetOrAdd(key, _ => new Lazy<Task<Parent>>(() => Task.Run(() => MakeAsync(key, size, _closing.Token))));
        try
        {
            // Made for everybody who waits: one caller that gives up does not end it.
            return await entry.Value.WaitAsync(cancellationToken);
        }
        catch when (entry.Value.IsFaulted || entry.Value.IsCanceled)
        {
            _parents.TryRemove(new(key, entry));
            throw;
        }
    }

    private async Task<Parent> MakeAsync(string key, MicroVmSize size, CancellationToken cancellationToken)
    {
        ParentStatus? status = _kept.GetValueOrDefault(key);
        Snapshot? snapshot = status is null ? null : _store.Load(key, cancellationToken);
        if (snapshot is null)
        {
            snapshot = await new ParentBoot(_context, _logger).RunAsync(size, cancellationToken);
            status = new ParentStatus
            {
                Key = key,
                Size = size,
                GuestVersion = _options.GuestVersion,
                CreatedAt = DateTimeOffset.UtcNow,
                MemoryBytes = snapshot.MemoryBytes,
                DeviceStateBytes = RandomAccess.GetLength(snapshot.Devices),
                Stages = snapshot.Stages,
            };
            try
            {
                _store.Save(status, snapshot);
            }
            catch
            {
                snapshot.Dispose();
                throw;
            }
        }

        _kept[key] = status!;
        var parent = new Parent(_context, status!, snapshot, () => Rehearsal, _slots, _logger);
        _ = parent.Pool.FillAsync();
        return parent;
    }
}
