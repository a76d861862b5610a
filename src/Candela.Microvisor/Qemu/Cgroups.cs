using System.Globalization;

namespace Candela.Microvisor.Qemu;

/// <summary>
/// Control groups of the VMMs (cgroups(7)): in the unified hierarchy where it has the controllers, else in the version 1 hierarchies.
/// Each VMM has one named <c>candela/INSTANCE-NAME</c>.
/// </summary>
internal sealed class Cgroups
{
    private const int TaskCount = 256;

    private readonly string _instance;
    private readonly string? _unified;
    private readonly Dictionary<string, string> _version1 = new(StringComparer.Ordinal);

    /// <summary>Finds the mounted hierarchies.</summary>
    /// <param name="instance">Tells this instance's groups from others'.</param>
    /// <param name="mountInfo">Lines of /proc/self/mountinfo (proc_pid_mountinfo(5)).</param>
    public Cgroups(string instance, IEnumerable<string> mountInfo)
    {
        _instance = instance;
        foreach (string line in mountInfo)
        {
            string[] halves = line.Split(" - ", 2);
            if (halves.Length != 2 || halves[0].Split(' ') is not [_, _, _, _, var target, ..] || halves[1].Split(' ') is not [var type, _, var options, ..])
                continue;
            if (type == "cgroup2" && Controllers(target).Contains("memory"))
                _unified ??= target;
            foreach (string controller in type == "cgroup" ? options.Split(',').Intersect(["memory", "pids", "cpu"]) : [])
                _version1.TryAdd(controller, target);
        }

        if (_unified is not null)
        {
            Directory.CreateDirectory(_unified + "/candela");
            Delegate(_unified);
            Delegate(_unified + "/candela");
        }
    }

    /// <summary>What is used, for people.</summary>
    public string Description => _unified is not null ? "cgroups version 2" : _version1.Count > 0 ? $"cgroups version 1 ({string.Join(", ", _version1.Keys)})" : "no cgroups";

    /// <summary>Makes a VMM's group and returns the <c>cgroup.procs</c> files to join.</summary>
    /// <param name="name">VMM.</param>
    /// <param name="memoryBytes">Most memory of the VMM, guest included.</param>
    public IReadOnlyList<string> Create(string name, long memoryBytes)
    {
        foreach (string folder in Folders(name))
            Directory.CreateDirectory(folder);
        string memory = memoryBytes.ToString(CultureInfo.InvariantCulture), tasks = TaskCount.ToString(CultureInfo.InvariantCulture);
        Write("memory", name, _unified is not null ? "memory.max" : "memory.limit_in_bytes", memory);
        Write("pids", name, "pids.max", tasks);
        return [.. Folders(name).Select(f => f + "/cgroup.procs")];
    }

    /// <summary>Share of the CPUs when they are scarce: a waiting VMM yields to everything that runs.</summary>
    public void SetWaiting(string name, bool waiting)
    {
        if (_unified is not null)
            Write("cpu", name, "cpu.weight", waiting ? "5" : "100");
        else
            Write("cpu", name, "cpu.shares", waiting ? "50" : "1024");
    }

    /// <summary>Processes in a VMM's group; none when it is gone, or just going.</summary>
    public IReadOnlyList<int> Processes(string name)
    {
        try
        {
            return Folders(name).FirstOrDefault() is { } folder ? [.. File.ReadLines(folder + "/cgroup.procs").Select(l => int.Parse(l, CultureInfo.InvariantCulture))] : [];
        }
        catch (IOException)
        {
            return []; // ENOENT, or ENODEV for a group that was removed after the file had been opened
        }
    }

    /// <summary>Names of this instance's groups.</summary>
    public IReadOnlyList<string> List() =>
        [.. Roots().Where(Directory.Exists).SelectMany(r => Directory.EnumerateDirectories(r, _instance + "-*")).Select(d => Path.GetFileName(d)[(_instance.Length + 1)..]).Distinct()];

    /// <summary>Removes a group whose processes have ended; false when the kernel still holds it.</summary>
    public bool TryRemove(string name)
    {
        bool gone = true;
        foreach (string folder in Folders(name))
        {
            // rmdir(2) is the one way; the files inside are the kernel's.
            if (Directory.Exists(folder) && Native.Libc.rmdir(folder) < 0)
                gone = false;
        }

        return gone;
    }

    private static HashSet<string> Controllers(string folder) => File.Exists(folder + "/cgroup.controllers") ? [.. File.ReadAllText(folder + "/cgroup.controllers").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)] : [];

    private static void Delegate(string folder)
    {
        foreach (string controller in Controllers(folder).Intersect(["memory", "pids", "cpu"]))
            File.WriteAllText(folder + "/cgroup.subtree_control", "+" + controller);
    }

    private IEnumerable<string> Roots() => _unified is not null ? [_unified + "/candela"] : _version1.Values.Distinct().Select(r => r + "/candela");

    private IEnumerable<string> Folders(string name) => Roots().Select(r => $"{r}/{_instance}-{name}");

    private void Write(string controller, string name, string file, string value)
    {
        string? root = _unified ?? _version1.GetValueOrDefault(controller);
        if (root is null)
            return;
        string path = $"{root}/candela/{_instance}-{name}/{file}";
        if (File.Exists(path))
            File.WriteAllText(path, value);
    }
}
