using Candela.Microvisor;
using Candela.Model;

namespace Candela.Machine.Launch;

/// <summary>Picks the micro-VM size of a container: few classes, so that parents are shared.</summary>
internal static class SizeClass
{
    private const long Mebibyte = 1L << 20;

    private static readonly long[] MemoryClasses = [256 * Mebibyte, 512 * Mebibyte, 1024 * Mebibyte, 2048 * Mebibyte, 4096 * Mebibyte, 8192 * Mebibyte];
    private static readonly int[] VCpuClasses = [1, 2, 4, 8];

    /// <summary>The smallest class that fits; beyond the largest one, a size of its own (memory rounded up to 256 MiB).</summary>
    public static MicroVmSize For(ContainerSpec spec, MachineOptions options)
    {
        long memory = spec.MemoryBytes == 0 ? options.DefaultMemoryBytes : spec.MemoryBytes + options.GuestOverheadBytes;
        return new MicroVmSize(VCpus((spec.NanoCpus + 999_999_999) / 1_000_000_000), Memory(memory));
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

    private static long Memory(long bytes)
    {
        foreach (long size in MemoryClasses)
        {
            if (bytes <= size)
                return size;
        }

        long step = 256 * Mebibyte;
        return (bytes + step - 1) / step * step;
    }
}
