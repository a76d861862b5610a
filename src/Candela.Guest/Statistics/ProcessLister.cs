using System.Globalization;
using System.Text;
using Candela.Guest.Files;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Statistics;

/// <summary>The processes of a container, with the pids that they have there.</summary>
/// <param name="cgroup">The container's cgroup folder; cgroups that the container made below it belong to it.</param>
/// <param name="proc">Where procfs is mounted.</param>
internal sealed class ProcessLister(string cgroup, string proc = "/proc")
{
    /// <summary>Most processes listed.</summary>
    public const int MaximumCount = 4096;

    private const int MaximumCgroupDepth = 16;
    private const int MaximumCgroups = 1024;
    private const int MaximumFileBytes = 64 * 1024;

    /// <summary>Longest command line, bytes.</summary>
    private const int MaximumCommandBytes = 4096;

    /// <summary>All command lines together, so that the list fits a message; from there on the short names do.</summary>
    private const int CommandBytesTogether = 1024 * 1024;

    // Fields of /proc/PID/stat after the name in brackets, from 0 (proc_pid_stat(5) counts from 1 with pid and name).
    private const int TerminalField = 4, UserTicksField = 11, SystemTicksField = 12, StartField = 19;

    private readonly byte[] _buffer = new byte[MaximumFileBytes];

    /// <summary>Lists them by pid. Processes that end meanwhile are left out.</summary>
    public IReadOnlyList<GuestProcessEntry> List()
    {
        var outer = new List<int>();
        var cgroups = 0;
        AddCgroup(cgroup, 0, ref cgroups, outer);
        var bootTime = SystemFile.Figure(SystemFile.Read($"{proc}/stat", _buffer), "btime"u8);
        var commandBytes = CommandBytesTogether;
        var entries = new List<GuestProcessEntry>(outer.Count);
        foreach (var pid in outer)
        {
            if (ReadProcess(pid, bootTime, ref commandBytes) is { } entry)
                entries.Add(entry);
        }

        entries.Sort(static (a, b) => a.Pid.CompareTo(b.Pid));
        return entries;
    }

    private void AddCgroup(string folder, int depth, ref int cgroups, List<int> pids)
    {
        if (depth > MaximumCgroupDepth || ++cgroups > MaximumCgroups)
            return;
        var text = SystemFile.Read($"{folder}/cgroup.procs", _buffer);
        while (!text.IsEmpty && pids.Count < MaximumCount)
        {
            if (SystemFile.Number(SystemFile.NextLine(ref text)) is > 0 and <= int.MaxValue and var pid)
                pids.Add((int)pid);
        }

        var number = FileCalls.OpenAt(FileCalls.AT_FDCWD, Encoding.UTF8.GetBytes(folder + '\0'), FileCalls.O_RDONLY | FileCalls.O_DIRECTORY);
        if (number < 0)
            return; // removed meanwhile
        using var reader = new FolderReader(new Descriptor(number), Encoding.UTF8.GetBytes(folder));
        for (var name = reader.Next(); !name.IsEmpty; name = reader.Next())
        {
            if (FileCalls.Status(number, name, out var status) == 0 && status.Type == FileStatus.S_IFDIR)
                AddCgroup($"{folder}/{Encoding.UTF8.GetString(name[..^1])}", depth + 1, ref cgroups, pids);
        }
    }

    private GuestProcessEntry? ReadProcess(int outer, long bootTime, ref int commandBytes)
    {
        var status = SystemFile.Read($"{proc}/{outer}/status", _buffer);
        if (status.IsEmpty)
            return null;
        var pid = InnerPid(status);
        var userId = (uint)(SystemFile.Number(SystemFile.Line(status, "Uid:"u8)) ?? 0);
        var outerParent = SystemFile.Figure(status, "PPid:"u8);
        var name = Text(SystemFile.Line(status, "Name:"u8));

        var fields = StatFields($"{proc}/{outer}/stat");
        if (fields.Length <= StartField)
            return null;
        return new GuestProcessEntry(
            pid,
            InnerParent(outerParent),
            userId,
            bootTime + fields[StartField] / SystemTicks.PerSecond,
            SystemTicks.Nanoseconds(fields[UserTicksField] + fields[SystemTicksField]),
            Terminal(fields[TerminalField]),
            Command(outer, name, ref commandBytes));
    }

    /// <summary>A parent that the container cannot see (the agent) counts as 0, as the kernel has it there.</summary>
    private int InnerParent(long outerParent)
    {
        var status = outerParent > 0 ? SystemFile.Read($"{proc}/{outerParent}/status", _buffer) : default;
        var line = SystemFile.Line(status, "NSpid:"u8);
        SystemFile.NextWord(ref line);
        return (int)(SystemFile.Number(SystemFile.NextWord(ref line)) ?? 0);
    }

    /// <summary>NSpid has the pid here, then the one in the container, then those in namespaces that the container made.</summary>
    private static int InnerPid(ReadOnlySpan<byte> status)
    {
        var line = SystemFile.Line(status, "NSpid:"u8);
        var here = SystemFile.Number(SystemFile.NextWord(ref line)) ?? 0;
        return (int)(SystemFile.Number(SystemFile.NextWord(ref line)) ?? here);
    }

    private long[] StatFields(string path)
    {
        var text = SystemFile.Read(path, _buffer);
        // The name may hold blanks and brackets: the fields begin after the last bracket.
        text = text[(text.LastIndexOf((byte)')') + 1)..];
        SystemFile.NextWord(ref text); // state
        var fields = new long[StartField + 1];
        for (var i = 1; i < fields.Length; i++)
        {
            if (SystemFile.Number(SystemFile.NextWord(ref text)) is not { } value)
                return [];
            fields[i] = value;
        }

        return fields;
    }

    /// <summary>Controlling terminal as ps(1) names it (Documentation/admin-guide/devices.txt).</summary>
    private static string Terminal(long device)
    {
        var major = (device >> 8) & 0xFFF;
        var minor = (device & 0xFF) | ((device >> 12) & 0xFFF00);
        return major switch
        {
            >= 136 and <= 143 => string.Create(CultureInfo.InvariantCulture, $"pts/{(major - 136) * 256 + minor}"),
            4 when minor < 64 => string.Create(CultureInfo.InvariantCulture, $"tty{minor}"),
            4 => string.Create(CultureInfo.InvariantCulture, $"ttyS{minor - 64}"),
            5 when minor == 1 => "console",
            _ => "?",
        };
    }

    private string Command(int outer, string name, ref int commandBytes)
    {
        var arguments = SystemFile.Read($"{proc}/{outer}/cmdline", _buffer.AsSpan(0, MaximumCommandBytes)).TrimEnd((byte)0);
        if (arguments.IsEmpty || arguments.Length > commandBytes)
            return $"[{name}]";
        commandBytes -= arguments.Length;
        _buffer.AsSpan(0, arguments.Length).Replace((byte)0, (byte)' ');
        return Text(arguments);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
