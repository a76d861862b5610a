using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Candela.Bench.Churn;

/// <summary>Looks for everything that an instance may leave behind.</summary>
internal sealed class Remains(CandelaEngine engine)
{
    // The daemon's defaults.
    private const int WaitingMost = 4, PooledDisksMost = 8;

    // Connections that come and go, and what the runtime opens on first use.
    private const int DescriptorsSpare = 12;

    private readonly string vmFolder = Path.Combine(engine.RunFolder, "vm");
    private readonly List<(string What, IReadOnlyList<string> Found)> results = [];

    /// <summary>Descriptors of the daemon before anything was asked of it.</summary>
    public int DescriptorsAtStart { get; init; }

    public IReadOnlyList<(string What, IReadOnlyList<string> Found)> Results => results;

    /// <summary>With the daemon there, and all containers removed.</summary>
    /// <param name="subject">The instance.</param>
    public void CheckRunning(Subject subject)
    {
        Add("records of containers", subject.Containers().Select(container => $"{container.Name} {container.Status.State}"));
        Add("folders of containers", Entries(Path.Combine(engine.StateFolder, "containers")));
        Add("VMMs beyond those that wait", Entries(vmFolder).Skip(WaitingMost));
        var descriptors = Descriptors(subject.DaemonPid()).ToList();
        Add("the daemon's descriptors of files that are gone", descriptors.Where(IsStale));
        Add("the daemon's descriptors beyond those it began with", descriptors.Count > DescriptorsAtStart + DescriptorsSpare ? descriptors : []);
        Add("scratch disks beyond the pool", Entries(Path.Combine(engine.StateFolder, "scratch", "ready")).Skip(PooledDisksMost));
    }

    /// <summary>After the end of the daemon.</summary>
    public void CheckStopped()
    {
        string hash = BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(vmFolder))).ToString("x8", CultureInfo.InvariantCulture);
        // As VmmFolder has it: sixteen bits for VMMs, in a block by the run folder's hash.
        uint block = 0x6000_0000 | (Convert.ToUInt32(hash, 16) & 0xFFF_0000);
        var processes = Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(name => int.Parse(name!, CultureInfo.InvariantCulture)).ToList();
        Add("processes of the instance's users", processes.Where(pid => Vmm.UserOf(pid) is { } user && (user & 0xFFFF_0000) == block).Select(pid => $"pid {pid}"));
        Add("processes that name its folders", processes.Where(pid => pid != Environment.ProcessId && CommandLineOf(pid).Contains(engine.Folder + "/", StringComparison.Ordinal)).Select(pid => $"pid {pid}"));
        Add("folders of VMMs", Entries(vmFolder));
        Add("control groups", CgroupRoots().Where(Directory.Exists).SelectMany(root => Directory.EnumerateDirectories(root, hash + "-*")));
        Add("mounts", File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(engine.Folder + "/", StringComparison.Ordinal)));
        Add("sockets and pid files", Entries(engine.RunFolder).Where(path => path != vmFolder && !path.EndsWith(".pid.lock", StringComparison.Ordinal)));
        Add("temporary files", Directory.EnumerateFileSystemEntries(engine.StateFolder, "*", SearchOption.AllDirectories).Where(IsTemporary));
    }

    /// <summary>Adds a finding that was made elsewhere.</summary>
    public void Add(string what, IEnumerable<string> found) => results.Add((what, [.. found]));

    private static IEnumerable<string> Entries(string folder) => Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder) : [];

    private static bool IsTemporary(string path) =>
        path.EndsWith(".new", StringComparison.Ordinal) || path.EndsWith(".tmp", StringComparison.Ordinal) || path.EndsWith(".content", StringComparison.Ordinal)
        || Path.GetFileName(Path.GetDirectoryName(path)) is "tmp" or "partial";

    private static bool IsStale(string target) =>
        (target.EndsWith("(deleted)", StringComparison.Ordinal) && !target.StartsWith("/memfd:", StringComparison.Ordinal) && !target.Contains("doublemapper", StringComparison.Ordinal))
        || target.StartsWith("/memfd:candela-fork", StringComparison.Ordinal);

    /// <summary>What the descriptors of a process stand for.</summary>
    public static IEnumerable<string> Descriptors(int pid)
    {
        foreach (string descriptor in Directory.EnumerateFiles($"/proc/{pid}/fd"))
        {
            string? target = null;
            try
            {
                target = File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.FullName;
            }
            catch (FileNotFoundException)
            {
                // Closed since it was listed.
            }
            if (target is not null)
                yield return target;
        }
    }

    private static IEnumerable<string> CgroupRoots() =>
        File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(" - cgroup", StringComparison.Ordinal)).Select(line => line.Split(' ')[4] + "/candela").Distinct();

    private static string CommandLineOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
