namespace Candela.Vmm.Machine;

/// <summary>What a VM is made of. Descriptors are open when the program starts; it opens nothing by path but /dev/kvm.</summary>
internal sealed record VmSpec
{
    /// <summary>1 to <see cref="VCpuCountMaximum"/>.</summary>
    public int VCpuCount { get; init; } = 1;

    /// <summary>Multiple of 1 MiB.</summary>
    public ulong MemoryBytes { get; init; }

    /// <summary>/dev/kvm; -1: open it.</summary>
    public int KvmDescriptor { get; init; } = -1;

    /// <summary>File of the guest's memory; -1: new memory.</summary>
    public int MemoryDescriptor { get; init; } = -1;

    /// <summary>Map it copy-on-write, as clones do.</summary>
    public bool IsMemoryPrivate { get; init; }

    /// <summary>Kernel to boot; -1 when state is loaded.</summary>
    public int KernelDescriptor { get; init; } = -1;

    /// <summary>Initial RAM disk; -1: none.</summary>
    public int InitramfsDescriptor { get; init; } = -1;

    /// <summary>The kernel's command line.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>Device state to go on from instead of booting; -1: none.</summary>
    public int StateDescriptor { get; init; } = -1;

    /// <summary>Stream or listening socket for commands; -1: nobody commands.</summary>
    public int ControlDescriptor { get; init; } = -1;

    /// <summary>Wait for the command that lets the vCPUs run.</summary>
    public bool StartsPaused { get; init; }

    /// <summary>Stream or listening socket of the agent channel; -1: nobody listens.</summary>
    public int AgentDescriptor { get; init; } = -1;

    /// <summary>Where the output of the serial port goes besides being kept; -1: nowhere.</summary>
    public int SerialDescriptor { get; init; } = -1;

    /// <summary>Files of the disks; -1: a placeholder.</summary>
    public int[] DiskDescriptors { get; init; } = [-1, -1];

    /// <summary>Most vCPUs.</summary>
    public const int VCpuCountMaximum = 8;
}
