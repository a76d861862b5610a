using System.Globalization;

namespace Candela.Vmm.Machine;

/// <summary>Reads the program's arguments.</summary>
internal static class Options
{
    private const ulong Mebibyte = 1UL << 20;
    private const ulong MemoryMebibytesMaximum = 1UL << 20;

    /// <summary>What the program says to --help.</summary>
    public const string Usage = """
        usage: candela-vmm --memory MIB {--kernel FD | --state FD} [OPTION...]
          --memory MIB        the guest's memory
          --vcpus N           1 to 8; 1 when not given
          --kvm FD            /dev/kvm; opened when not given, and nothing else ever is
          --kernel FD         bzImage or ELF kernel with a PVH entry
          --initramfs FD      initial RAM disk
          --cmdline TEXT      the kernel's command line
          --state FD          go on from this device state; needs the memory that was saved with it
          --paused            wait for the command that lets it run
          --control FD        stream or listening socket for commands, a line each: pause, resume, status,
                              snapshot [FD], memory [FD], disk INDEX [FD]
          --memory-fd FD      keep the memory in this file
          --memory-private    map that file copy-on-write
          --disk0 FD          read-only disk, /dev/vda
          --disk1 FD          writable disk, /dev/vdb
          --serial FD         write the output of the serial port there, too
          --agent FD          stream or listening socket for the agent's port
        FD is the number of a descriptor that is open already. Exit code: 0 the guest reset itself, 1 it crashed
        (registers on standard error), 2 it could not be started, 64 the arguments are wrong.
        """;

    /// <summary>Reads them.</summary>
    /// <exception cref="CommandLineException">They are wrong.</exception>
    public static VmSpec Parse(ReadOnlySpan<string> arguments)
    {
        VmSpec spec = new();
        while (!arguments.IsEmpty)
        {
            string name = arguments[0];
            if (name is "--memory-private" or "--paused")
            {
                spec = name == "--paused" ? spec with { StartsPaused = true } : spec with { IsMemoryPrivate = true };
                arguments = arguments[1..];
                continue;
            }

            if (arguments.Length < 2)
                throw new CommandLineException($"{name} is unknown or lacks a value");
            string value = arguments[1];
            arguments = arguments[2..];
            spec = name switch
            {
                "--memory" => spec with { MemoryBytes = Number(name, value, 1, MemoryMebibytesMaximum) * Mebibyte },
                "--vcpus" => spec with { VCpuCount = (int)Number(name, value, 1, VmSpec.VCpuCountMaximum) },
                "--kernel" => spec with { KernelDescriptor = Descriptor(name, value) },
                "--initramfs" => spec with { InitramfsDescriptor = Descriptor(name, value) },
                "--cmdline" => spec with { CommandLine = value },
                "--memory-fd" => spec with { MemoryDescriptor = Descriptor(name, value) },
                "--disk0" => spec with { DiskDescriptors = [Descriptor(name, value), spec.DiskDescriptors[1]] },
                "--disk1" => spec with { DiskDescriptors = [spec.DiskDescriptors[0], Descriptor(name, value)] },
                "--serial" => spec with { SerialDescriptor = Descriptor(name, value) },
                "--state" => spec with { StateDescriptor = Descriptor(name, value) },
                "--control" => spec with { ControlDescriptor = Descriptor(name, value) },
                "--kvm" => spec with { KvmDescriptor = Descriptor(name, value) },
                "--agent" => spec with { AgentDescriptor = Descriptor(name, value) },
                _ => throw new CommandLineException($"there is no option {name}"),
            };
        }

        if (spec.MemoryBytes == 0)
            throw new CommandLineException("--memory is missing");
        if (spec.KernelDescriptor < 0 == spec.StateDescriptor < 0)
            throw new CommandLineException("one of --kernel and --state is needed");
        if (spec.StateDescriptor >= 0 && spec.MemoryDescriptor < 0)
            throw new CommandLineException("--state needs --memory-fd");
        if (spec.IsMemoryPrivate && spec.MemoryDescriptor < 0)
            throw new CommandLineException("--memory-private needs --memory-fd");
        return spec;
    }

    private static int Descriptor(string name, string value) => (int)Number(name, value, 0, int.MaxValue);

    private static ulong Number(string name, string value, ulong least, ulong most) =>
        ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && number >= least && number <= most
            ? number
            : throw new CommandLineException($"{name} takes a number from {least} to {most}, not {value}");
}
