using System.Globalization;

namespace Candela.Microvisor.Native;

/// <summary>Facts about processes from /proc (proc(5)).</summary>
internal static class ProcessFiles
{
    private const int TicksPerSecond = 100; // USER_HZ

    /// <summary>Start time in clock ticks since boot; null when there is no such process.</summary>
    public static long? StartTicks(int pid) => Statistics(pid) is { } fields ? long.Parse(fields[19], CultureInfo.InvariantCulture) : null;

    /// <summary>User and system time.</summary>
    public static TimeSpan CpuTime(int pid) =>
        Statistics(pid) is { } fields
            ? TimeSpan.FromSeconds((double)(long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond)
            : TimeSpan.Zero;

    /// <summary>Processes of a user id.</summary>
    public static IEnumerable<int> OfUser(uint userId)
    {
        string text = $"Uid:\t{userId}\t";
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && ReadText($"/proc/{pid}/status") is { } status
                && status.Contains(text, StringComparison.Ordinal))
                yield return pid;
        }
    }

    /// <summary>Figures of smaps_rollup, bytes, by name.</summary>
    public static IReadOnlyDictionary<string, long> MemoryRollup(int pid)
    {
        var figures = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string line in (ReadText($"/proc/{pid}/smaps_rollup") ?? "").Split('\n'))
        {
            if (line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [var name, var number, "kB"])
                figures[name.TrimEnd(':')] = long.Parse(number, CultureInfo.InvariantCulture) * 1024;
        }

        return figures;
    }

    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // the process has ended
        }
    }

    /// <summary>Fields of /proc/PID/stat from the third on: the second, the name, may contain anything.</summary>
    private static string[]? Statistics(int pid) => ReadText($"/proc/{pid}/stat") is { } text ? text[(text.LastIndexOf(')') + 2)..].Split(' ') : null;
}
