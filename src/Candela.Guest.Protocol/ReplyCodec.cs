using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Protocol;

/// <summary>What the guest answers.</summary>
internal static class ReplyCodec
{
    public static void Write(MessageWriter writer, ProcessExit exit)
    {
        writer.I32(exit.Code);
        writer.I32(exit.Signal);
        writer.Bool(exit.OomKilled);
    }

    public static ProcessExit ReadExit(ref MessageReader reader)
    {
        var exit = new ProcessExit(reader.I32(), reader.I32(), reader.Bool());
        if (exit.Code is < 0 or > 255 || exit.Signal is < 0 or > 64)
            throw new MalformedMessageException("An exit code or signal is out of range.");
        return exit;
    }

    public static void Write(MessageWriter writer, StreamStatus status)
    {
        writer.U64(status.First);
        writer.U64(status.Next);
        writer.Bool(status.Ended);
    }

    public static StreamStatus ReadStreamStatus(ref MessageReader reader)
    {
        var status = new StreamStatus(reader.U64(), reader.U64(), reader.Bool());
        if (status.First > status.Next || status.Next - status.First > ProtocolLimits.StreamWindowBytes)
            throw new MalformedMessageException("Positions of a stream are impossible.");
        return status;
    }

    public static GuestProcessStatus[] ReadProcesses(ref MessageReader reader)
    {
        var count = reader.Count(4 + 4 + 1 + 2 * 17);
        if (count > ProtocolLimits.ProcessCount)
            throw new MalformedMessageException($"The guest names more than {ProtocolLimits.ProcessCount} processes.");
        var values = new GuestProcessStatus[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = new GuestProcessStatus
            {
                Process = reader.U32(),
                Pid = reader.I32(),
                Exit = reader.Bool() ? ReadExit(ref reader) : null,
                Stdout = ReadStreamStatus(ref reader),
                Stderr = ReadStreamStatus(ref reader),
            };
        }
        return values;
    }

    public static void Write(MessageWriter writer, GuestStatistics s)
    {
        ReadOnlySpan<long> values =
        [
            s.CpuTotalNanoseconds, s.CpuUserNanoseconds, s.CpuSystemNanoseconds, s.SystemTotalNanoseconds, s.OnlineCpus,
            s.MemoryBytes, s.MemoryPeakBytes, s.MemoryInactiveFileBytes, s.MemoryAnonymousBytes, s.MemoryLimitBytes,
            s.ReadBytes, s.WriteBytes, s.Pids, s.OomKills,
        ];
        foreach (var value in values)
            writer.I64(value);
    }

    public static GuestStatistics ReadStatistics(ref MessageReader reader) => new()
    {
        CpuTotalNanoseconds = Figure(ref reader),
        CpuUserNanoseconds = Figure(ref reader),
        CpuSystemNanoseconds = Figure(ref reader),
        SystemTotalNanoseconds = Figure(ref reader),
        OnlineCpus = (int)Math.Min(Figure(ref reader), 4096),
        MemoryBytes = Figure(ref reader),
        MemoryPeakBytes = Figure(ref reader),
        MemoryInactiveFileBytes = Figure(ref reader),
        MemoryAnonymousBytes = Figure(ref reader),
        MemoryLimitBytes = Figure(ref reader),
        ReadBytes = Figure(ref reader),
        WriteBytes = Figure(ref reader),
        Pids = Figure(ref reader),
        OomKills = Figure(ref reader),
    };

    public static void Write(MessageWriter writer, GuestProcessEntry entry)
    {
        writer.I32(entry.Pid);
        writer.I32(entry.ParentPid);
        writer.U32(entry.UserId);
        writer.I64(entry.StartTimeSeconds);
        writer.I64(entry.CpuTime);
        writer.Text(entry.Terminal);
        writer.Text(entry.Command);
    }

    public static GuestProcessEntry[] ReadProcessEntries(ref MessageReader reader)
    {
        var values = new GuestProcessEntry[reader.Count(36)];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = new GuestProcessEntry(
                reader.I32(), reader.I32(), reader.U32(), reader.I64(), reader.I64(), reader.Text(), reader.Text());
        }
        return values;
    }

    public static void Write(MessageWriter writer, ArchiveStat stat)
    {
        writer.Text(stat.Name);
        writer.I64(stat.Size);
        writer.U32(stat.Mode);
        writer.I64(stat.ModifiedAt);
        writer.Text(stat.LinkTarget);
    }

    public static ArchiveStat ReadArchiveStat(ref MessageReader reader) =>
        new(reader.Text(), reader.I64(), reader.U32(), reader.I64(), reader.Text());

    private static long Figure(ref MessageReader reader)
    {
        var value = reader.I64();
        return value >= 0 ? value : throw new MalformedMessageException("A figure is negative.");
    }
}
