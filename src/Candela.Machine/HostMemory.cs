using System.Globalization;

namespace Candela.Machine;

/// <summary>Memory of the host that this process runs on.</summary>
public static class HostMemory
{
    /// <summary>Memory that the kernel manages, bytes: <c>MemTotal</c> of proc_meminfo(5).</summary>
    public static long TotalBytes { get; } = Read();

    private static long Read()
    {
        // "MemTotal:       16315436 kB"
        string line = File.ReadLines("/proc/meminfo").First();
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
