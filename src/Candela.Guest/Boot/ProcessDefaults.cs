using Candela.Guest.Native;

namespace Candela.Guest.Boot;

/// <summary>What every process of the container inherits, as under Docker's daemon.</summary>
internal static unsafe class ProcessDefaults
{
    private const int RLIMIT_NPROC = 6;
    private const int RLIMIT_NOFILE = 7;
    private const ulong OpenFiles = 1024 * 1024;

    /// <summary>
    /// Raises limits, lets any user bind low ports and ping, and makes the agent's memory, which a starting process shares
    /// for a moment, untouchable for other processes.
    /// </summary>
    /// <exception cref="AgentFailure">A call failed.</exception>
    public static void Apply()
    {
        _ = Libc.umask(0);
        SetLimit(RLIMIT_NOFILE, OpenFiles);
        SetLimit(RLIMIT_NPROC, ulong.MaxValue);
        SmallFile.Write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
        SmallFile.Write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
        _ = Raw.Call(Linux.SYS_prctl, Linux.PR_SET_DUMPABLE, 0);
    }

    private static void SetLimit(int resource, ulong value)
    {
        var limit = new RLimit { Soft = value, Hard = value };
        var result = Raw.Call(Linux.SYS_prlimit64, 0, resource, (nint)(&limit));
        if (result < 0)
            throw Errno.Failure($"set limit {resource}", (int)-result);
    }
}
