using System.Globalization;
using Candela.Microvisor;
using Candela.Model;

namespace Candela.Machine.Launch;

/// <summary>Picks the micro-VM size of a container: few classes, so that parents are shared.</summary>
internal static class SizeClass
{
    private const long Mebibyte = 1L << 20;
    private const long NanoCpusPerCpu = 1_000_000_000;

    private static readonly long[] MemoryClasses = [256 * Mebibyte, 512 * Mebibyte, 1024 * Mebibyte, 2048 * Mebibyte, 4096 * Mebibyte, 8192 * Mebibyte];
    private static readonly int[] VCpuClasses = [1, 2, 4, 8];

    /// <summary>
    /// The smallest class that fits; where the host has no room for it, or beyond the largest class, a size of its own (memory rounded up
    /// to 256 MiB).
    /// </summary>
    /// <exception cref="CandelaException">InvalidArgument: more CPUs than the host has; ResourceExhausted: more memory than it has.</exception>
    public static MicroVmSize For(ContainerSpec spec, MachineOptions options)
    {
        if (spec.NanoCpus > options.HostProcessorCount * NanoCpusPerCpu)
        {
            throw new CandelaException(
                ErrorCode.InvalidArgument,
                string.Create(CultureInfo.InvariantCulture, $"{spec.NanoCpus / (decimal)NanoCpusPerCpu:0.##} CPUs are more than this host has: the range of CPUs is from 0.01 to {options.HostProcessorCount}.00"));
        }

        long memory = spec.MemoryBytes == 0 ? options.DefaultMemoryBytes : spec.MemoryBytes + options.GuestOverheadBytes;
        var size = new MicroVmSize(VCpus((spec.NanoCpus + NanoCpusPerCpu - 1) / NanoCpusPerCpu), Memory(memory, options.HostMemoryBytes));
        Check(size, options);
        return size;
    }

    /// <summary>Refuses a micro-VM that is larger than the host: it could not be made, or not for long.</summary>
    /// <exception cref="CandelaException">ResourceExhausted.</exception>
    public static void Check(MicroVmSize size, MachineOptions options)
    {
        if (size.MemoryBytes > options.HostMemoryBytes)
        {
            throw new CandelaException(
                ErrorCode.ResourceExhausted,
                $"a micro-VM with {size.MemoryBytes / Mebibyte} MiB of memory (the limit, and what the guest itself needs) does not fit into this host, which has {options.HostMemoryBytes / Mebibyte} MiB: give a lower memory limit");
        }
    }

    /// <summary>Refuses limits that a micro-VM which runs already is too small for.</summary>
    /// <exception cref="CandelaException">Conflict.</exception>
    public static void CheckFits(ContainerSpec spec, MicroVmSize size, MachineOptions options)
    {
        if (spec.MemoryBytes > 0 && spec.MemoryBytes + options.GuestOverheadBytes > size.MemoryBytes)
        {
            throw new CandelaException(
                ErrorCode.Conflict,
                $"the container's micro-VM has {size.MemoryBytes / Mebibyte} MiB and does not grow while it runs: the memory limit can be at most {(size.MemoryBytes - options.GuestOverheadBytes) / Mebibyte} MiB; stop the container, update it, and start it again");
        }

        if (spec.NanoCpus > size.VCpus * NanoCpusPerCpu)
        {
            throw new CandelaException(
                ErrorCode.Conflict,
                $"the container's micro-VM has {size.VCpus} CPUs and gets no more while it runs: stop the container, update it, and start it again");
        }
    }

    private static int VCpus(long count)
    {
        foreach (int size in VCpuClasses)
        {
            if (count <= size)
                return size;
        }

        return (int)Math.Min(count, Limits.VCpuCount);
    }

    private static long Memory(long bytes, long most)
    {
        foreach (long size in MemoryClasses)
        {
            if (bytes <= size && size <= most)
                return size;
        }

        long step = 256 * Mebibyte;
        return (bytes + step - 1) / step * step;
    }
}
