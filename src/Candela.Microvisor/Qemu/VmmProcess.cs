using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Microvisor.Native;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Qemu;

/// <summary>What all VMMs of a driver have in common.</summary>
/// <param name="Options">Settings.</param>
/// <param name="Cgroups">Control groups.</param>
/// <param name="Watcher">Exit watcher.</param>
/// <param name="Accelerator">How vCPUs run.</param>
internal sealed record VmmContext(QemuOptions Options, Cgroups Cgroups, ExitWatcher Watcher, Accelerator Accelerator)
{
    /// <summary>VMMs that this driver controls.</summary>
    public ConcurrentDictionary<VmmProcess, bool> Held { get; } = new();

    /// <summary>Closes the taps of VMMs that have ended.</summary>
    public TapCloser Taps { get; } = new();
}

/// <summary>One jailed QEMU process, from its start until its folder, cgroup and user id are free again.</summary>
internal sealed class VmmProcess : IWaiting
{
    private readonly VmmContext _context;
    private readonly SafeFileHandle _pidfd;

    // Kept, so that the end of the process is not the end of its taps: see TapCloser.
    private readonly IReadOnlyList<MicroVmTap> _taps;

    private VmmProcess(VmmContext context, VmmFolder folder, int pid, SafeFileHandle pidfd, QmpConnection qmp, IReadOnlyList<MicroVmTap> taps)
    {
        _taps = taps;
        Taps = [.. taps.Select(tap => tap.Name)];
        _context = context;
        _pidfd = pidfd;
        Folder = folder;
        ProcessId = pid;
        Qmp = qmp;
        ProcessStartTicks = ProcessFiles.StartTicks(pid) ?? 0;
        context.Held[this] = true;
        Exited = WatchAsync(context.Watcher.WatchAsync(pidfd));
    }

    public VmmFolder Folder { get; }

    public int ProcessId { get; }

    public long ProcessStartTicks { get; }

    public QmpConnection Qmp { get; }

    /// <summary>Names of the taps behind its network cards, given by <see cref="ITapSource"/>; empty when it has none.</summary>
    public IReadOnlyList<string> Taps { get; }

    /// <summary>The process has ended and nothing of it is left.</summary>
    public Task<MicroVmExit> Exited { get; }

    /// <inheritdoc/>
    public string Name => Folder.Name;

    /// <summary>Starts QEMU in a jail.</summary>
    /// <param name="context">Driver.</param>
    /// <param name="arguments">QEMU and its arguments.</param>
    /// <param name="size">Guest's size, for the cgroup.</param>
    /// <param name="descriptors">Descriptors besides the sockets.</param>
    /// <param name="lowPriority">Starts yielding to others.</param>
    /// <param name="cancellationToken">Ends the attempt; nothing is left.</param>
    public static async Task<VmmProcess> StartAsync(
        VmmContext context,
        string[] arguments,
        MicroVmSize size,
        IReadOnlyDictionary<int, SafeFileHandle> descriptors,
        bool lowPriority,
        CancellationToken cancellationToken)
    {
        VmmFolder folder = VmmFolder.Create(context.Options.RunFolder);
        List<MicroVmTap> taps = [];
        try
        {
            var all = new Dictionary<int, SafeFileHandle>(descriptors);
            for (int card = 0; card < MicroVmLimits.CardCount && context.Options.Taps is not null; card++)
            {
                taps.Add(context.Options.Taps.Create(card));
                all[CommandLine.TapDescriptor + card] = taps[card].Descriptor;
            }

            // Twice the guest's memory: who first writes to a page that is a hole in the parent's memory file is charged for
            // the file's page, which all clones share from then on, besides its own.
            IReadOnlyList<string> cgroups = context.Cgroups.Create(folder.Name, (2 * size.MemoryBytes) + context.Options.VmmOverheadBytes);
            context.Cgroups.SetWaiting(folder.Name, lowPriority);
            int pid = await Task.Run(() => Spawn(context, folder, cgroups, arguments, all), cancellationToken);
            SafeFileHandle pidfd = ExitWatcher.Open(pid) ?? throw Died(folder);
            QmpConnection qmp;
            try
            {
                qmp = await QmpConnection.ConnectAsync(folder.QmpSocket, cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw Died(folder, e);
            }

            return new VmmProcess(context, folder, pid, pidfd, qmp, taps);
        }
        catch
        {
            TapCloser.CloseNow(taps);
            await EndRemainsAsync(context, folder);
            throw;
        }
    }

    /// <summary>Finds a VMM of an earlier daemon; null when its process is gone.</summary>
    public static async Task<VmmProcess?> AdoptAsync(VmmContext context, string folderName, int pid, long startTicks, CancellationToken cancellationToken)
    {
        if (VmmFolder.Find(context.Options.RunFolder, folderName) is not { } folder)
            return null;
        SafeFileHandle? pidfd = ExitWatcher.Open(pid);
        try
        {
            // The start time tells whether the pid that was just pinned is still the same process.
            if (pidfd is not null && ProcessFiles.StartTicks(pid) == startTicks)
            {
                QmpConnection qmp = await QmpConnection.ConnectAsync(folder.QmpSocket, cancellationToken);
                return new VmmProcess(context, folder, pid, pidfd, qmp, []);
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or QmpException or System.Net.Sockets.SocketException)
        {
            // It does not talk any more; it is ended below.
        }

        pidfd?.Dispose();
        await EndRemainsAsync(context, folder);
        return null;
    }

    /// <summary>Ends whatever is left of a VMM that nobody holds, and removes its folder and cgroup.</summary>
    public static async Task EndRemainsAsync(VmmContext context, VmmFolder folder)
    {
        // More than once: a jailer that its daemon's end has left on its way may just have started its inner half.
        for (bool found = true; found;)
        {
            found = false;
            foreach (int pid in ProcessFiles.Find(folder.UserId, folder.Root).Concat(context.Cgroups.Processes(folder.Name)).Distinct().ToList())
                found |= await EndAsync(context, pid);
        }

        await RemoveAsync(context, folder);
    }

    /// <summary>SIGKILL to any process; false when it had ended already.</summary>
    private static async Task<bool> EndAsync(VmmContext context, int pid)
    {
        using SafeFileHandle? pidfd = ExitWatcher.Open(pid);
        if (pidfd is null || ProcessFiles.IsZombie(pid))
            return false;
        Task<string> ended = context.Watcher.WatchAsync(pidfd);
        ExitWatcher.Signal(pidfd, Libc.SIGKILL);
        await ended.WaitAsync(TimeSpan.FromSeconds(10));
        return true;
    }

    /// <summary>SIGKILL; <see cref="Exited"/> follows.</summary>
    public void Kill() => ExitWatcher.Signal(_pidfd, Libc.SIGKILL);

    /// <inheritdoc/>
    public async Task EndAsync()
    {
        Kill();
        await Exited;
    }

    /// <summary>Gives up control of it, so that another driver can take it.</summary>
    public void LetGo()
    {
        _context.Held.TryRemove(this, out _);
        Qmp.Dispose();
        _pidfd.Dispose();
        _context.Taps.Close(_taps);
    }

    /// <summary>Full share of the CPUs from now on.</summary>
    public void Activate() => _context.Cgroups.SetWaiting(Folder.Name, waiting: false);

    /// <summary>Passes a file to QEMU; it is <c>/dev/fdset/ID</c> there.</summary>
    public async Task<string> AddFileAsync(SafeFileHandle file, CancellationToken cancellationToken)
    {
        var added = await Qmp.ExecuteAsync("add-fd", null, cancellationToken, file);
        return $"/dev/fdset/{added.GetProperty("fdset-id").GetInt32()}";
    }

    /// <summary>Puts files behind the guest's disks in place of what is there. The vCPUs must stand still.</summary>
    /// <param name="name">Begins the names of QEMU's nodes; not used before in this VMM.</param>
    /// <param name="files">Files in the disks' order: the first is read-only; null leaves what is there.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task InsertDisksAsync(string name, IReadOnlyList<SafeFileHandle?> files, CancellationToken cancellationToken)
    {
        var commands = new List<Task>();
        for (int i = 0; i < files.Count; i++)
        {
            if (files[i] is not { } file)
                continue;
            var node = new JsonObject
            {
                ["driver"] = "file",
                ["node-name"] = name + i,
                ["filename"] = await AddFileAsync(file, cancellationToken),
                ["read-only"] = i == 0,
                ["locking"] = "off",
                ["discard"] = i == 0 ? "ignore" : "unmap",
            };
            commands.Add(Qmp.ExecuteAsync("blockdev-add", node, cancellationToken));
            commands.Add(SetDriveAsync(i, name + i, cancellationToken));
        }

        await Task.WhenAll(commands);
    }

    /// <summary>Puts the empty placeholders back, and lets go of the first <paramref name="count"/> files of <see cref="InsertDisksAsync"/>.</summary>
    public async Task RemoveDisksAsync(string name, int count, CancellationToken cancellationToken)
    {
        var commands = new List<Task>();
        for (int i = 0; i < count; i++)
        {
            commands.Add(SetDriveAsync(i, CommandLine.PlaceholderNode(i), cancellationToken));
            commands.Add(Qmp.ExecuteAsync("blockdev-del", new JsonObject { ["node-name"] = name + i }, cancellationToken));
        }

        await Task.WhenAll(commands);
    }

    /// <summary>Saves the state of all devices, without memory, into a new sealed file. The vCPUs must stand still.</summary>
    public async Task<SafeFileHandle> SaveDevicesAsync(CancellationToken cancellationToken)
    {
        SafeFileHandle state = MemoryFile.Create("candela-state", 0);
        try
        {
            using (SafeFileHandle writable = MemoryFile.Reopen(state, Libc.O_WRONLY))
            {
                // A set's file is only found with the very access mode that is asked for.
                string path = await AddFileAsync(writable, cancellationToken);
                await Qmp.ExecuteAsync("xen-save-devices-state", new JsonObject { ["filename"] = path, ["live"] = false }, cancellationToken);
            }

            return state;
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    /// <summary>Loads device state that was passed at start; the VM is paused afterwards.</summary>
    public async Task LoadDevicesAsync(CancellationToken cancellationToken)
    {
        await Qmp.ExecuteAsync("migrate-incoming", new JsonObject { ["uri"] = $"fd:{CommandLine.StateDescriptor}" }, cancellationToken);
        while (true)
        {
            string? status = (await Qmp.ExecuteAsync("query-status", null, cancellationToken)).GetProperty("status").GetString();
            if (status is "paused" or "running")
                return;
            if (status is not "inmigrate")
                throw new CandelaException(ErrorCode.Internal, $"QEMU could not load the snapshot (it is {status}): {Folder.ReadLog()}");
            await Task.Delay(1, cancellationToken);
        }
    }

    private Task<System.Text.Json.JsonElement> SetDriveAsync(int disk, string node, CancellationToken cancellationToken) =>
        Qmp.ExecuteAsync("qom-set", new JsonObject { ["path"] = $"/machine/peripheral/{CommandLine.Disks[disk]}", ["property"] = "drive", ["value"] = node }, cancellationToken);

    private static int Spawn(VmmContext context, VmmFolder folder, IReadOnlyList<string> cgroups, string[] arguments, IReadOnlyDictionary<int, SafeFileHandle> descriptors)
    {
        const int reportDescriptor = 3;
        using SafeFileHandle qmp = ListeningSocket.Create(folder.QmpSocket);
        using SafeFileHandle agent = ListeningSocket.Create(folder.AgentSocket);
        using SafeFileHandle none = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite);
        using SafeFileHandle log = File.OpenHandle(folder.Log, FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        using SafeFileHandle report = File.OpenHandle(folder.Report, FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        var all = new Dictionary<int, SafeFileHandle>(descriptors)
        {
            [0] = none,
            [1] = none,
            [2] = log,
            [reportDescriptor] = report,
            [CommandLine.QmpDescriptor] = qmp,
            [CommandLine.AgentDescriptor] = agent,
        };
        string[] command =
        [
            context.Options.JailerPath, "--root", folder.Root, "--uid", folder.UserId.ToString(CultureInfo.InvariantCulture),
            "--report", reportDescriptor.ToString(CultureInfo.InvariantCulture),
            .. cgroups.SelectMany(c => new[] { "--cgroup", c }),
            .. context.Accelerator.JailArguments,
            "--", .. arguments,
        ];
        if (ChildProcess.Run(context.Options.JailerPath, command, all) != 0)
            throw Died(folder);
        return int.Parse(File.ReadAllText(folder.Report), CultureInfo.InvariantCulture);
    }

    private static async Task RemoveAsync(VmmContext context, VmmFolder folder)
    {
        // The kernel lets go of a group shortly after its last process has ended.
        for (int attempt = 0; !context.Cgroups.TryRemove(folder.Name); attempt++)
        {
            if (attempt == 200)
                throw new CandelaException(ErrorCode.Internal, $"the cgroup of VMM {folder.Name} cannot be removed");
            await Task.Delay(10);
        }

        folder.Delete();
    }

    private static CandelaException Died(VmmFolder folder, Exception? inner = null) =>
        new(ErrorCode.Internal, $"the VMM did not start: {(folder.ReadLog() is { Length: > 0 } log ? log : inner?.Message ?? "it ended at once")}", inner);

    private async Task<MicroVmExit> WatchAsync(Task<string> ended)
    {
        string how = await ended;
        string log = Folder.ReadLog();
        bool powerOff = Qmp.GuestShutdown || how == "exit code 0";
        await RemoveAsync(_context, Folder); // with process 1 of its pid namespace all others have ended
        LetGo();
        return new MicroVmExit(powerOff, log.Length > 0 ? $"{how}: {log}" : how);
    }
}
