namespace Candela.Controller;

/// <summary>Where the Controller keeps things, and its limits.</summary>
public sealed record ControllerOptions
{
    /// <summary>State folder, for example <c>/var/lib/candela</c>; the Controller uses <c>state.db</c> and <c>audit.log</c> below it.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Run folder, for example <c>/run/candela</c>.</summary>
    public required string RunFolder { get; init; }

    /// <summary>Folder of the image data, for its disk usage.</summary>
    public required string ImageFolder { get; init; }

    /// <summary>Version of the guest in use.</summary>
    public string GuestVersion { get; init; } = "";

    /// <summary>Release of the guest's kernel.</summary>
    public string GuestKernel { get; init; } = "";

    /// <summary>Most containers on this machine.</summary>
    public int ContainerCount { get; init; } = 10_000;

    /// <summary>Most volumes of a project.</summary>
    public int VolumeCount { get; init; } = 4096;

    /// <summary>Most forks of one call.</summary>
    public int ForkCount { get; init; } = 128;

    /// <summary>Most execs that are kept in memory, ended ones included.</summary>
    public int ExecCount { get; init; } = 4096;

    /// <summary>Events kept.</summary>
    public int EventCount { get; init; } = 4096;

    /// <summary>Size at which the audit log is put aside, bytes.</summary>
    public long AuditFileBytes { get; init; } = 16L << 20;

    /// <summary>Audit logs kept, the present one included.</summary>
    public int AuditFileCount { get; init; } = 8;

    /// <summary>Most restarts by policy at a time.</summary>
    public int RestartParallelism { get; init; } = 4;

    /// <summary>Most time between SIGKILL and the exit of a container before its micro-VM is ended; as long again for that.</summary>
    public TimeSpan KillTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
