using System.Buffers.Text;
using Candela.Guest.Native;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Container;

/// <summary>The cgroup that all of the container's processes are in.</summary>
internal sealed unsafe class ContainerCgroup
{
    private const long NanoCpusPerCpu = 1_000_000_000;
    private const long CpuPeriodMicroseconds = 100_000;
    private const long CpuQuotaLeastMicroseconds = 1_000;
    private const int EventsBytes = 512;

    private readonly int _events = Open("memory.events", Linux.O_RDONLY);

    /// <summary>Descriptor by which a process joins: whoever writes 0 to it is in.</summary>
    public int Procs { get; } = Open("cgroup.procs", Linux.O_WRONLY);

    /// <summary>Processes that the OOM killer ended so far.</summary>
    public long OomKills
    {
        get
        {
            var buffer = stackalloc byte[EventsBytes];
            var length = Libc.pread(_events, buffer, EventsBytes, 0);
            var text = new ReadOnlySpan<byte>(buffer, (int)Math.Max(length, 0));
            var at = text.IndexOf("oom_kill "u8);
            return at >= 0 && Utf8Parser.TryParse(text[(at + "oom_kill ".Length)..], out long count, out _) ? count : 0;
        }
    }

    /// <summary>Sets the limits that are asked.</summary>
    /// <exception cref="AgentFailure">The kernel refused one.</exception>
    public static void Limit(GuestConfiguration configuration)
    {
        if (configuration.MemoryLimitBytes > 0)
            Set("memory.max", configuration.MemoryLimitBytes);
        if (configuration.PidsLimit > 0)
            Set("pids.max", configuration.PidsLimit);
        if (configuration.NanoCpus > 0)
            SetCpus(configuration.NanoCpus);
    }

    /// <summary>Changes limits while the container runs.</summary>
    /// <exception cref="AgentFailure">The kernel refused one, or more memory is in use than the container is to have; none of them changed then.</exception>
    public static void Change(GuestLimits limits)
    {
        if (limits.MemoryBytes < 0 || limits.NanoCpus < 0 || limits.Pids < 0)
            throw new AgentFailure(AgentError.InvalidArgument, "a limit is negative");
        // The kernel would end processes to come below the limit.
        if (limits.MemoryBytes > 0 && long.TryParse(SmallFile.TryRead($"{GuestPaths.ContainerCgroup}/memory.current"), out var used) && used > limits.MemoryBytes)
            throw new AgentFailure(AgentError.BadState, $"the container uses {used} bytes of memory, more than the new limit");
        SetOrLift("memory.max", limits.MemoryBytes);
        SetOrLift("pids.max", limits.Pids);
        if (limits.NanoCpus > 0)
            SetCpus(limits.NanoCpus);
        else
            SmallFile.Write($"{GuestPaths.ContainerCgroup}/cpu.max", "max");
    }

    /// <summary>Takes all limits away.</summary>
    /// <exception cref="AgentFailure">The kernel refused.</exception>
    public static void Unlimit()
    {
        foreach (var file in (ReadOnlySpan<string>)["memory.max", "pids.max", "cpu.max"])
            SmallFile.Write($"{GuestPaths.ContainerCgroup}/{file}", "max");
    }

    private static void SetCpus(long nanoCpus)
    {
        var quota = (long)((Int128)nanoCpus * CpuPeriodMicroseconds / NanoCpusPerCpu);
        SmallFile.Write($"{GuestPaths.ContainerCgroup}/cpu.max", $"{Math.Max(quota, CpuQuotaLeastMicroseconds)} {CpuPeriodMicroseconds}");
    }

    private static void SetOrLift(string file, long value)
    {
        if (value > 0)
            Set(file, value);
        else
            SmallFile.Write($"{GuestPaths.ContainerCgroup}/{file}", "max");
    }

    private static void Set(string file, long value) => SmallFile.Write($"{GuestPaths.ContainerCgroup}/{file}", $"{value}");

    private static int Open(string file, int flags) =>
        Errno.Check(Libc.open($"{GuestPaths.ContainerCgroup}/{file}", flags | Linux.O_CLOEXEC, 0), $"open {file}");
}
