using System.Diagnostics;
using System.Globalization;
using Candela.Model;

namespace Candela.Bench.Churn;

/// <summary>A running VMM of the instance.</summary>
/// <param name="ProcessId">Its process.</param>
/// <param name="UserId">User it runs as: its alone.</param>
/// <param name="Container">Name of the container that it runs; null: none yet.</param>
internal sealed record Vmm(int ProcessId, uint UserId, string? Container)
{
    /// <summary>All that run, from the instance's run folder.</summary>
    public static IReadOnlyList<Vmm> List(string runFolder, IReadOnlyList<Container> containers)
    {
        var found = new List<Vmm>();
        foreach (string folder in Directory.EnumerateDirectories(Path.Combine(runFolder, "vm")))
        {
            try
            {
                int pid = int.Parse(File.ReadAllText(Path.Combine(folder, "report")), CultureInfo.InvariantCulture);
                uint user = uint.Parse(Path.GetFileName(folder), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                found.Add(new Vmm(pid, user, containers.FirstOrDefault(container => container.Status.Pid == pid)?.Name));
            }
            catch (Exception exception) when (exception is IOException or FormatException)
            {
                // It is just starting, or gone by now.
            }
        }
        return found;
    }

    /// <summary>SIGKILL, if it is still the process of that user.</summary>
    public void Kill()
    {
        try
        {
            using var process = Process.GetProcessById(ProcessId);
            if (UserOf(ProcessId) == UserId)
                process.Kill();
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            // Gone already.
        }
    }

    /// <summary>User id of a process; null when it is gone, or has ended and waits for init to take notice.</summary>
    public static uint? UserOf(int pid)
    {
        try
        {
            var lines = File.ReadAllLines($"/proc/{pid}/status");
            if (lines.First(line => line.StartsWith("State:", StringComparison.Ordinal)).Contains('Z', StringComparison.Ordinal))
                return null;
            string line = lines.First(line => line.StartsWith("Uid:", StringComparison.Ordinal));
            return uint.Parse(line.Split('\t')[1], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            return null;
        }
    }
}
