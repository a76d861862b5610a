using System.Globalization;

namespace Candela.Acceptance.Harness;

/// <summary>Processes of the host, from /proc.</summary>
internal static class HostProcesses
{
    /// <summary>All process ids.</summary>
    public static IEnumerable<int> All() => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid > 0);

    /// <summary>Fields of /proc/PID/status by name; empty when the process has ended.</summary>
    public static Dictionary<string, string> Status(int pid)
        => Read($"/proc/{pid}/status").Split('\n').Where(line => line.Contains(':', StringComparison.Ordinal))
            .ToDictionary(line => line[..line.IndexOf(':', StringComparison.Ordinal)], line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());

    /// <summary>Real user id; null when the process has ended or is a zombie.</summary>
    public static uint? UserId(int pid)
    {
        var status = Status(pid);
        return status.TryGetValue("Uid", out var uids) && !status["State"].StartsWith('Z') ? uint.Parse(uids.Split('\t')[0], CultureInfo.InvariantCulture) : null;
    }

    /// <summary>The process is gone, but perhaps for its entry.</summary>
    public static bool HasEnded(int pid) => UserId(pid) is null;

    /// <summary>Threads that have not ended; the first one is counted as long as the process has an entry.</summary>
    public static int ThreadCount(int pid) => Directory.Exists($"/proc/{pid}/task") ? Directory.GetDirectories($"/proc/{pid}/task").Length : 0;

    /// <summary>Arguments.</summary>
    public static string[] CommandLine(int pid) => Read($"/proc/{pid}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // it has ended
        }
    }
}
