using System.Globalization;

namespace Candela.Microvisor.Native;

/// <summary>Facts about processes from /proc (proc(5)).</summary>
internal static class ProcessFiles
{
    private const int TicksPerSecond = 100; // USER_HZ

    /// <summary>Start time in clock ticks since boot; null when there is no such process.</summary>
    public static long? StartTicks(int pid) => Statistics(pid) is { } fields ? long.Parse(fields[19], CultureInfo.InvariantCulture) : null;

    /// <summary>It has ended, and only its parent has not heard of it yet; also when there is no such process.</summary>
    public static bool IsZombie(int pid) => Statistics(pid) is not [not "Z", ..];

    /// <summary>User and system time.</summary>
    public static TimeSpan CpuTime(int pid) =>
        Statistics(pid) is { } fields
            ? TimeSpan.FromSeconds((double)(long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond)
            : TimeSpan.Zero;

    /// <summary>Processes of a user id, and those that have <paramref name="argument"/> on their command line.</summary>
    public static IEnumerable<int> Find(uint userId, string argument)
    {
        string user = $"Uid:\t{userId}\t", word = $"\0{argument}\0";
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && (Contains($"/proc/{pid}/status", user) || Contains($"/proc/{pid}/cmdline", word)))
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

    private static bool Contains(string path, string text) => ReadText(path)?.Contains(text, StringComparison.Ordinal) == true;

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
