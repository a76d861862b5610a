using System.Globalization;

namespace Candela.Bench;

/// <summary>Memory of the host, from /proc/meminfo.</summary>
internal static class HostMemory
{
    public static long AvailableBytes() => Read("MemAvailable:");

    public static long TotalBytes() => Read("MemTotal:");

    private static long Read(string name)
    {
        string line = File.ReadLines("/proc/meminfo").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
