using System.Net.Sockets;
using System.Text.Json.Nodes;
using Candela.Microvisor.Native;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Qemu;

/// <summary>A clone in its jailed QEMU.</summary>
internal sealed class QemuMicroVm : IMicroVm
{
    private readonly Lock _gate = new();
    private NetworkStream? _agent;

    /// <param name="process">Its VMM.</param>
    /// <param name="record">Its record.</param>
    /// <param name="stages">Stages of its birth.</param>
    public QemuMicroVm(VmmProcess process, MicroVmRecord record, IReadOnlyList<StageTiming> stages)
    {
        Process = process;
        Record = record;
        Stages = stages;
        Exited = EndAsync();
    }

    public VmmProcess Process { get; }

    public MicroVmRecord Record { get; }

    public IReadOnlyList<StageTiming> Stages { get; }

    public Task<MicroVmExit> Exited { get; }

    /// <summary>Gives a paused VMM its disks and lets it run.</summary>
    public static async Task<MicroVmRecord> WakeAsync(VmmProcess process, CloneSpec spec, string parentKey, CancellationToken cancellationToken)
    {
        if (spec.VolumePaths.Count > MicroVmLimits.VolumeCount)
            throw new CandelaException(ErrorCode.InvalidArgument, $"a micro-VM has at most {MicroVmLimits.VolumeCount} volumes");
        var files = new List<SafeFileHandle?>();
        try
        {
            files.Add(File.OpenHandle(spec.ImagePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            files.Add(spec.ScratchPath is null ? null : Writable(spec.ScratchPath));
            files.AddRange(spec.VolumePaths.Select(Writable));
            process.Activate();
            await process.InsertDisksAsync("disk", files, cancellationToken);
        }
        finally
        {
            files.ForEach(static file => file?.Dispose());
        }

        await process.Qmp.ExecuteAsync("cont", null, cancellationToken);
        return new MicroVmRecord
        {
            Id = spec.Id,
            Folder = process.Folder.Name,
            Driver = QemuMicrovisor.DriverName,
            ProcessId = process.ProcessId,
            ProcessStartTicks = process.ProcessStartTicks,
            UserId = process.Folder.UserId,
            Size = spec.Size,
            ParentKey = parentKey,
            ScratchPath = spec.ScratchPath,
            ImagePath = spec.ImagePath,
            Taps = process.Taps,
        };
    }

    public async Task<Stream> ConnectAgentAsync(CancellationToken cancellationToken)
    {
        // QEMU serves one connection of a port at a time, and the next only after it has seen the former's end.
        lock (_gate)
            Interlocked.Exchange(ref _agent, null)?.Dispose();
        NetworkStream stream = await AgentPort.ConnectAsync(Process.Folder.AgentSocket, cancellationToken);
        lock (_gate)
            Interlocked.Exchange(ref _agent, stream)?.Dispose();
        return stream;
    }

    public Task PauseAsync(CancellationToken cancellationToken) => Translate(Process.Qmp.ExecuteAsync("stop", null, cancellationToken));

    public Task ResumeAsync(CancellationToken cancellationToken) => Translate(Process.Qmp.ExecuteAsync("cont", null, cancellationToken));

    public async Task KillAsync(CancellationToken cancellationToken)
    {
        Process.Kill();
        await Exited.WaitAsync(cancellationToken);
    }

    public Task<MicroVmStatistics> GetStatisticsAsync(CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            IReadOnlyDictionary<string, long> memory = ProcessFiles.MemoryRollup(Record.ProcessId);
            long Figure(string name) => memory.GetValueOrDefault(name);
            return new MicroVmStatistics(
                Figure("Private_Clean") + Figure("Private_Dirty"),
                Figure("Pss"),
                Figure("Rss"),
                ProcessFiles.CpuTime(Record.ProcessId));
        },
        cancellationToken);

    public async Task<string> ReadConsoleAsync(CancellationToken cancellationToken)
    {
        var arguments = new JsonObject { ["device"] = "console", ["size"] = 65536 };
        var text = await Process.Qmp.ExecuteAsync("ringbuf-read", arguments, cancellationToken);
        return text.GetString() ?? "";
    }

    /// <summary>Lets go of it; the VMM goes on.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
            Interlocked.Exchange(ref _agent, null)?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static SafeFileHandle Writable(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private static async Task Translate(Task command)
    {
        try
        {
            await command;
        }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException)
        {
            throw new CandelaException(ErrorCode.Unavailable, $"the VMM does not obey: {e.Message}", e);
        }
    }

    private async Task<MicroVmExit> EndAsync()
    {
        MicroVmExit exit = await Process.Exited;
        await DisposeAsync();
        return exit;
    }
}
