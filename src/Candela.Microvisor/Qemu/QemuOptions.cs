namespace Candela.Microvisor.Qemu;

/// <summary>Settings of the QEMU driver.</summary>
public sealed record QemuOptions
{
    /// <summary>Folder for snapshots of parents, for example <c>/var/lib/candela/parents</c>.</summary>
    public required string ParentsFolder { get; init; }

    /// <summary>Folder for the VMMs' sockets and jails, for example <c>/run/candela/vm</c>; at most 80 bytes long.</summary>
    public required string RunFolder { get; init; }

    /// <summary>The program candela-jailer.</summary>
    public required string JailerPath { get; init; }

    /// <summary>Version of the guest; parents of another version are removed.</summary>
    public required string GuestVersion { get; init; }

    /// <summary>The guest's kernel (bzImage).</summary>
    public required string KernelPath { get; init; }

    /// <summary>The guest's initramfs.</summary>
    public required string InitramfsPath { get; init; }

    /// <summary>Completes when the agent behind the stream answers; the driver snapshots the parent then. The stream is closed afterwards.</summary>
    public required Func<Stream, CancellationToken, Task> AgentReady { get; init; }

    /// <summary>Makes the host's side of micro-VMs' network cards; null: they have none.</summary>
    public ITapSource? Taps { get; init; }

    /// <summary>QEMU.</summary>
    public string QemuPath { get; init; } = "/usr/bin/qemu-system-x86_64";

    /// <summary>VMM processes of each parent that wait for a claim. One costs about 20 MiB.</summary>
    public int WaitingCount { get; init; } = 4;

    /// <summary>VMM processes that are prepared at once; 0: as many as there are CPUs.</summary>
    public int PreparationParallelism { get; init; }

    /// <summary>Host memory of a VMM beyond the guest's, bytes: QEMU itself and its translation cache.</summary>
    public long VmmOverheadBytes { get; init; } = 256L << 20;

    /// <summary>Most time for a parent's first boot attempt; later attempts get twice and three times as much.</summary>
    public TimeSpan BootTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Most time for a waiting VMM's rehearsal; without it the VMM waits unrehearsed.</summary>
    public TimeSpan RehearsalTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long KVM may take to boot the guest before emulation is preferred.</summary>
    public TimeSpan KvmProbeTimeout { get; init; } = TimeSpan.FromSeconds(3);
}
