using Candela.Microvisor.Native;
using Candela.Model;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Qemu;

/// <summary>Boots the guest until its agent answers, and turns it into a snapshot.</summary>
internal sealed partial class ParentBoot(VmmContext context, ILogger logger)
{
    private const int Attempts = 3;

    // The agent answers before the guest's kernel has put its last boot work behind it; clones would repeat that work.
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(300);

    /// <summary>Boots and snapshots. A boot that hangs, as it may on an overloaded host, is tried again.</summary>
    public async Task<Snapshot> RunAsync(MicroVmSize size, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(context.Options.BootTimeout * attempt);
            try
            {
                return await BootAsync(size, deadline.Token);
            }
            catch (CandelaException e) when (attempt < Attempts && e.Code == ErrorCode.DeadlineExceeded && !cancellationToken.IsCancellationRequested)
            {
                Log.BootHung(logger, attempt, e.Message);
            }
        }
    }

    /// <summary>Boots once and tells how long it took until the agent answered.</summary>
    public async Task<TimeSpan> MeasureAsync(MicroVmSize size, CancellationToken cancellationToken)
    {
        using SafeFileHandle memory = MemoryFile.Create("candela-probe", size.MemoryBytes);
        var clock = new Stages();
        VmmProcess process = await StartAsync(size, memory, cancellationToken);
        try
        {
            await WaitForAgentAsync(process, cancellationToken);
            return clock.Total;
        }
        finally
        {
            await process.EndAsync();
        }
    }

    private async Task<Snapshot> BootAsync(MicroVmSize size, CancellationToken cancellationToken)
    {
        var clock = new Stages();
        using SafeFileHandle memory = MemoryFile.Create("candela-parent", size.MemoryBytes);
        VmmProcess process = await StartAsync(size, memory, cancellationToken);
        clock.Mark("vmm");
        SafeFileHandle? state = null;
        try
        {
            await WaitForAgentAsync(process, cancellationToken);
            clock.Mark("boot");
            await Task.Delay(SettleTime, cancellationToken);
            await process.Qmp.ExecuteAsync("stop", null, cancellationToken);
            state = await process.SaveDevicesAsync(cancellationToken);
        }
        catch (OperationCanceledException e)
        {
            throw new CandelaException(ErrorCode.DeadlineExceeded, $"the guest did not boot within {clock.Total.TotalSeconds:0} s; its console: {await ConsoleAsync(process)}", e);
        }
        finally
        {
            await process.EndAsync();
        }

        // The guest's memory is compacted into a file without its zero pages; no writer is left.
        SafeFileHandle compact = MemoryFile.Create("candela-parent", size.MemoryBytes);
        long bytes = MemoryFile.CopyPages(memory, compact, cancellationToken);
        clock.Mark("snapshot");
        return new Snapshot(compact, state, bytes, clock.All);
    }

    private static async Task<string> ConsoleAsync(VmmProcess process)
    {
        try
        {
            var arguments = new System.Text.Json.Nodes.JsonObject { ["device"] = "console", ["size"] = 65536 };
            string text = (await process.Qmp.ExecuteAsync("ringbuf-read", arguments, CancellationToken.None)).GetString() ?? "";
            return text.Length > 2000 ? text[^2000..] : text;
        }
        catch (Exception e) when (e is QmpException or IOException or TimeoutException)
        {
            return e.Message;
        }
    }

    private async Task<VmmProcess> StartAsync(MicroVmSize size, SafeFileHandle memory, CancellationToken cancellationToken)
    {
        using SafeFileHandle kernel = File.OpenHandle(context.Options.KernelPath);
        using SafeFileHandle initramfs = File.OpenHandle(context.Options.InitramfsPath);
        var descriptors = new Dictionary<int, SafeFileHandle>
        {
            [CommandLine.MemoryDescriptor] = memory,
            [CommandLine.KernelDescriptor] = kernel,
            [CommandLine.InitramfsDescriptor] = initramfs,
        };
        string[] arguments = CommandLine.Parent(context.Options, context.Accelerator, size);
        return await VmmProcess.StartAsync(context, arguments, size, descriptors, lowPriority: false, cancellationToken);
    }

    private async Task WaitForAgentAsync(VmmProcess process, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using Stream stream = await AgentPort.ConnectAsync(process.Folder.AgentSocket, cancellationToken);
        Task ready = context.Options.AgentReady(stream, ended.Token);
        if (await Task.WhenAny(ready, process.Exited) != ready)
        {
            await ended.CancelAsync();
            throw new CandelaException(ErrorCode.Internal, $"the guest ended while it booted: {(await process.Exited).Detail}");
        }

        await ready;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "boot attempt {Attempt} of a parent failed: {Reason}")]
        public static partial void BootHung(ILogger logger, int attempt, string reason);
    }
}
