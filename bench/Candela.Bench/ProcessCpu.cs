using System.Globalization;

namespace Candela.Bench;

/// <summary>CPU time of a process, from /proc/PID/stat (proc_pid_stat(5)).</summary>
internal static class ProcessCpu
{
    /// <summary>USER_HZ of Linux on x86-64.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>User and system time; zero when the process has gone.</summary>
    public static TimeSpan Of(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            // The second field, the name, may contain anything: count from its closing parenthesis. utime is field 14.
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromSeconds((long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return TimeSpan.Zero;
        }
    }
}
