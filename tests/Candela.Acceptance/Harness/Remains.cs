using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Candela.Acceptance.Harness;

/// <summary>What the host has of an instance: processes, control groups, mounts, files.</summary>
public sealed class Remains(string stateFolder, string runFolder)
{
    private const int SIGKILL = 9, MNT_DETACH = 2;

    // An instance has 65536 user ids and its control groups by the hash of the folder of its VMMs.
    private readonly uint _hash = BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(runFolder + "/vm")));

    private uint FirstUserId => 0x6000_0000 | (_hash & 0xFFF_0000);

    /// <summary>Processes that run under one of the instance's user ids, or have its folders in their command line.</summary>
    public int[] Processes() => [.. HostProcesses.All().Where(pid => pid != Environment.ProcessId && IsOurs(pid))];

    /// <summary>Control groups, in all hierarchies.</summary>
    public string[] ControlGroups()
    {
        var name = _hash.ToString("x8", CultureInfo.InvariantCulture);
        return [.. File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(" - cgroup", StringComparison.Ordinal)).Select(line => line.Split(' ')[4] + "/candela")
            .Where(Directory.Exists).SelectMany(folder => Directory.EnumerateDirectories(folder, name + "-*"))];
    }

    /// <summary>Mounts on the host below the instance's folders.</summary>
    public string[] Mounts() => [.. File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4])
        .Where(target => target.StartsWith(stateFolder + "/", StringComparison.Ordinal) || target.StartsWith(runFolder + "/", StringComparison.Ordinal))];

    /// <summary>Folders of VMMs.</summary>
    public string[] VmmFolders() => Entries(runFolder + "/vm");

    /// <summary>Disks, logs and journals of containers.</summary>
    public string[] ContainerFiles() => Entries(stateFolder + "/containers");

    /// <summary>Fails if anything that runs or is mounted is left; files of the state folder are none.</summary>
    public void AssertNothing()
    {
        var left = new List<string>();
        left.AddRange(Processes().Select(pid => $"process {pid} ({string.Join(' ', HostProcesses.CommandLine(pid)).Truncate(200)})"));
        left.AddRange(ControlGroups());
        left.AddRange(Mounts().Select(mount => "mount " + mount));
        left.AddRange(VmmFolders());
        Assert.True(left.Count == 0, "left on the host:\n" + string.Join('\n', left));
    }

    /// <summary>Ends what is left, so that a failed test does not burden the host.</summary>
    public void End()
    {
        foreach (var pid in Processes())
            _ = Kill(pid, SIGKILL);
        foreach (var pid in Processes())
            SpinWait.SpinUntil(() => HostProcesses.HasEnded(pid), TimeSpan.FromSeconds(10));
        foreach (var group in ControlGroups())
            _ = RemoveFolder(group);
        foreach (var mount in Mounts())
            _ = Unmount(mount, MNT_DETACH);
    }

    private bool IsOurs(int pid)
        => HostProcesses.UserId(pid) is { } user
            && ((user >= FirstUserId && user < FirstUserId + 0x10000) || HostProcesses.CommandLine(pid).Any(argument => argument.Contains(runFolder, StringComparison.Ordinal)));

    private static string[] Entries(string folder) => Directory.Exists(folder) ? Directory.GetFileSystemEntries(folder) : [];

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int pid, int signal);

    [DllImport("libc", EntryPoint = "umount2", CharSet = CharSet.Ansi)]
    private static extern int Unmount([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "rmdir", CharSet = CharSet.Ansi)]
    private static extern int RemoveFolder([MarshalAs(UnmanagedType.LPUTF8Str)] string path);
}

/// <summary>Short texts for messages.</summary>
internal static class TextExtensions
{
    public static string Truncate(this string text, int length) => text.Length > length ? text[..length] + "…" : text;
}
