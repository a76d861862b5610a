using Candela.Model;

namespace Candela.Machine.Launch;

/// <summary>Capability names and Docker's default set (capabilities(7), include/uapi/linux/capability.h).</summary>
internal static class LinuxCapabilities
{
    private static readonly string[] Names =
    [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
        "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
        "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
        "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
        "PERFMON", "BPF", "CHECKPOINT_RESTORE",
    ];

    private static readonly string[] Default =
    [
        "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE",
        "SYS_CHROOT", "KILL", "AUDIT_WRITE",
    ];

    /// <summary>Every capability.</summary>
    public static ulong All { get; } = (1UL << Names.Length) - 1;

    private static ulong DefaultSet { get; } = Default.Aggregate(0UL, (set, name) => set | Bit(name, ""));

    /// <summary>Default set, plus added, minus dropped; <c>ALL</c> in either list is everything.</summary>
    public static ulong Resolve(IReadOnlyList<string> add, IReadOnlyList<string> drop, bool privileged)
    {
        if (privileged)
            return All;
        ulong set = drop.Any(IsAll) ? 0 : DefaultSet;
        if (add.Any(IsAll))
            set = All;
        foreach (string name in add.Where(n => !IsAll(n)))
            set |= Bit(name, "CapAdd");
        foreach (string name in drop.Where(n => !IsAll(n)))
            set &= ~Bit(name, "CapDrop");
        return set;
    }

    private static bool IsAll(string name) => Normalize(name) == "ALL";

    private static string Normalize(string name)
    {
        string upper = name.ToUpperInvariant();
        return upper.StartsWith("CAP_", StringComparison.Ordinal) ? upper[4..] : upper;
    }

    private static ulong Bit(string name, string list)
    {
        int index = Array.IndexOf(Names, Normalize(name));
        return index >= 0
            ? 1UL << index
            : throw new CandelaException(ErrorCode.InvalidArgument, $"invalid {list}: unknown capability: \"CAP_{Normalize(name)}\"");
    }
}
