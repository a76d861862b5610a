using Candela.Guest.Native;

namespace Candela.Guest.Boot;

/// <summary>How the kernel treats the disks: the host schedules and merges, and whatever the guest does on the way only costs time.</summary>
internal static class DiskQueues
{
    /// <summary>Switches off what the guest would do besides passing requests on; a kernel without it is fine.</summary>
    public static void Simplify()
    {
        foreach (var folder in Directory.EnumerateDirectories("/sys/block", "vd*"))
        {
            foreach (var (name, value) in (ReadOnlySpan<(string, string)>)[("scheduler", "none"), ("wbt_lat_usec", "0"), ("add_random", "0"), ("nomerges", "2")])
            {
                var path = $"{folder}/queue/{name}";
                if (SmallFile.TryRead(path) is not null)
                    SmallFile.Write(path, value);
            }
        }
    }
}
