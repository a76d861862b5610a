using Candela.Microvisor.Native;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Qemu;

/// <summary>A snapshot in sealed memory that clones map, with its pool of waiting VMMs.</summary>
internal sealed partial class Parent : IAsyncDisposable
{
    private readonly VmmContext _context;
    private readonly MicroVmSize _size;
    private readonly Snapshot _snapshot;
    private readonly ParentStatus _status;
    private readonly Func<Rehearsal?> _rehearsal;
    private readonly ILogger _logger;

    /// <summary>Takes over the snapshot and seals it.</summary>
    public Parent(VmmContext context, ParentStatus status, Snapshot snapshot, Func<Rehearsal?> rehearsal, PreparationSlots slots, ILogger logger)
    {
        _context = context;
        _size = status.Size;
        _snapshot = snapshot;
        _status = status;
        _rehearsal = rehearsal;
        _logger = logger;
        MemoryFile.Seal(snapshot.Memory);
        Pool = new WaitingPool<VmmProcess>(context.Options.WaitingCount, slots, PrepareAsync, TimeProvider.System, logger);
    }

    public WaitingPool<VmmProcess> Pool { get; }

    public ParentStatus Status => _status with { Waiting = Pool.Count };

    /// <summary>Starts a VMM that maps a memory file and, when device state is given, loads it.</summary>
    public static async Task<VmmProcess> StartAsync(VmmContext context, MicroVmSize size, SafeFileHandle memory, SafeFileHandle devices, bool lowPriority, CancellationToken cancellationToken)
    {
        using SafeFileHandle state = MemoryFile.Reopen(devices, Libc.O_RDONLY);
        var descriptors = new Dictionary<int, SafeFileHandle> { [CommandLine.MemoryDescriptor] = memory, [CommandLine.StateDescriptor] = state };
        string[] arguments = CommandLine.Clone(context.Options, context.Accelerator, size);
        return await VmmProcess.StartAsync(context, arguments, size, descriptors, lowPriority, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Pool.DisposeAsync();
        _snapshot.Dispose();
    }

    private async Task<VmmProcess> PrepareAsync(bool ahead, CancellationToken cancellationToken)
    {
        if (ahead && _rehearsal() is { } rehearsal)
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(_context.Options.RehearsalTimeout);
            try
            {
                return await LoadAsync(lowPriority: true, (process, token) => RehearseAsync(process, rehearsal, token), deadline.Token);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                // A clone without rehearsal is slower, but as good.
                Log.RehearsalFailed(_logger, e);
            }
        }

        return await LoadAsync(lowPriority: ahead, (_, _) => Task.CompletedTask, cancellationToken);
    }

    private async Task<VmmProcess> LoadAsync(bool lowPriority, Func<VmmProcess, CancellationToken, Task> finish, CancellationToken cancellationToken)
    {
        VmmProcess process = await StartAsync(_context, _size, _snapshot.Memory, _snapshot.Devices, lowPriority, cancellationToken);
        try
        {
            await process.LoadDevicesAsync(cancellationToken);
            await finish(process, cancellationToken);
            return process;
        }
        catch
        {
            await process.EndAsync();
            throw;
        }
    }

    private static async Task RehearseAsync(VmmProcess process, Rehearsal rehearsal, CancellationToken cancellationToken)
    {
        const string disks = "rehearsal";
        using SafeFileHandle image = File.OpenHandle(rehearsal.ImagePath);
        using SafeFileHandle scratch = rehearsal.CopyScratch(cancellationToken);
        await process.InsertDisksAsync(disks, [image, scratch], cancellationToken);
        await process.Qmp.ExecuteAsync("cont", null, cancellationToken);
        await using (Stream agent = await AgentPort.ConnectAsync(process.Folder.AgentSocket, cancellationToken))
            await rehearsal.RunAsync(agent, cancellationToken);
        await process.Qmp.ExecuteAsync("stop", null, cancellationToken);
        await process.RemoveDisksAsync(disks, count: 2, cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "a VMM could not rehearse a start; it waits without")]
        public static partial void RehearsalFailed(ILogger logger, Exception exception);
    }
}
