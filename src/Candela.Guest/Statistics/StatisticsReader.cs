using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Statistics;

/// <summary>Figures of a container: its cgroup (version 2) and the guest's processors. A figure that the kernel does not have is 0.</summary>
/// <param name="cgroup">The container's cgroup folder.</param>
/// <param name="proc">Where procfs is mounted.</param>
internal sealed class StatisticsReader(string cgroup, string proc = "/proc")
{
    private const int MaximumFileBytes = 64 * 1024;

    /// <summary>Columns of the line "cpu" in /proc/stat that Docker adds up: user to softirq.</summary>
    private const int CpuColumns = 7;

    private readonly byte[] _buffer = new byte[MaximumFileBytes];
    private long _memoryPeak;

    /// <summary>Reads all figures now.</summary>
    public GuestStatistics Read()
    {
        var cpu = File("cpu.stat");
        var total = SystemFile.Figure(cpu, "usage_usec"u8) * 1000;
        var user = SystemFile.Figure(cpu, "user_usec"u8) * 1000;
        var system = SystemFile.Figure(cpu, "system_usec"u8) * 1000;
        var (systemTotal, online) = ReadProcessors();
        var memory = SystemFile.ReadNumber($"{cgroup}/memory.current") ?? 0;
        _memoryPeak = long.Max(_memoryPeak, long.Max(memory, SystemFile.ReadNumber($"{cgroup}/memory.peak") ?? 0));
        var memoryStatistics = File("memory.stat");
        var inactiveFile = SystemFile.Figure(memoryStatistics, "inactive_file"u8);
        var anonymous = SystemFile.Figure(memoryStatistics, "anon"u8);
        var (read, written) = ReadTransfers();
        return new GuestStatistics
        {
            CpuTotalNanoseconds = total,
            CpuUserNanoseconds = user,
            CpuSystemNanoseconds = system,
            SystemTotalNanoseconds = systemTotal,
            OnlineCpus = online,
            MemoryBytes = memory,
            MemoryPeakBytes = _memoryPeak,
            MemoryInactiveFileBytes = inactiveFile,
            MemoryAnonymousBytes = anonymous,
            MemoryLimitBytes = ReadMemoryLimit(),
            ReadBytes = read,
            WriteBytes = written,
            Pids = SystemFile.ReadNumber($"{cgroup}/pids.current") ?? 0,
            OomKills = SystemFile.Figure(File("memory.events"), "oom_kill"u8),
        };
    }

    private ReadOnlySpan<byte> File(string name) => SystemFile.Read($"{cgroup}/{name}", _buffer);

    private (long TotalNanoseconds, int Online) ReadProcessors()
    {
        var text = SystemFile.Read($"{proc}/stat", _buffer);
        var columns = SystemFile.Line(text, "cpu"u8);
        long ticks = 0;
        for (var i = 0; i < CpuColumns; i++)
            ticks += SystemFile.Number(SystemFile.NextWord(ref columns)) ?? 0;
        var online = 0;
        while (!text.IsEmpty)
        {
            if (SystemFile.NextLine(ref text) is [(byte)'c', (byte)'p', (byte)'u', >= (byte)'0' and <= (byte)'9', ..])
                online++;
        }

        return (SystemTicks.Nanoseconds(ticks), online);
    }

    private long ReadMemoryLimit()
    {
        var all = SystemFile.Figure(SystemFile.Read($"{proc}/meminfo", _buffer), "MemTotal:"u8) * 1024;
        return SystemFile.ReadNumber($"{cgroup}/memory.max") is { } limit && (all == 0 || limit < all) ? limit : all;
    }

    /// <summary>Sums over all devices of io.stat: "MAJOR:MINOR rbytes=N wbytes=N …".</summary>
    private (long Read, long Written) ReadTransfers()
    {
        long read = 0, written = 0;
        var text = File("io.stat");
        while (!text.IsEmpty)
        {
            var line = SystemFile.NextLine(ref text);
            for (var word = SystemFile.NextWord(ref line); !word.IsEmpty; word = SystemFile.NextWord(ref line))
            {
                if (word.StartsWith("rbytes="u8))
                    read += SystemFile.Number(word["rbytes=".Length..]) ?? 0;
                else if (word.StartsWith("wbytes="u8))
                    written += SystemFile.Number(word["wbytes=".Length..]) ?? 0;
            }
        }

        return (read, written);
    }
}
