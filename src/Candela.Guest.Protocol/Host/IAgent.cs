using System.IO.Pipelines;

namespace Candela.Guest.Protocol.Host;

/// <summary>
/// The host's end of the agent channel of one micro-VM. Calls may be made from any thread; each has a deadline of its own
/// (<see cref="TimeoutException"/>), and after a violation of the protocol by the guest every call fails with
/// <see cref="AgentProtocolException"/> while the host stays unharmed. A request that the guest refuses fails with <see cref="AgentException"/>.
/// </summary>
public interface IAgent : IAsyncDisposable
{
    /// <summary>Completes when the channel is gone (guest powered off, VMM ended, protocol violated, disposed).</summary>
    Task Closed { get; }

    /// <summary>Gives the guest entropy, time, names, mounts and limits. First call after a clone.</summary>
    Task ConfigureAsync(GuestConfiguration configuration, CancellationToken cancellationToken);

    /// <summary>Gives a fork its own entropy, time, names and addresses; processes go on.</summary>
    Task ReidentifyAsync(GuestIdentity identity, CancellationToken cancellationToken);

    /// <summary>Connects and disconnects network cards of a running container; those that stay as they are notice nothing.</summary>
    Task SetNetworkAsync(GuestNetwork network, CancellationToken cancellationToken);

    /// <summary>Changes the limits of a running container. Refused when it uses more memory than it is to have.</summary>
    Task SetLimitsAsync(GuestLimits limits, CancellationToken cancellationToken);

    /// <summary>Exchanges the files of the container's identity.</summary>
    Task SetIdentityFilesAsync(IReadOnlyList<GuestFile> files, CancellationToken cancellationToken);

    /// <summary>Sets the wall clock, which stood still while the micro-VM was paused.</summary>
    /// <param name="wallClock">The time now, after 1970.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task SetClockAsync(DateTimeOffset wallClock, CancellationToken cancellationToken);

    /// <summary>Starts a process; returns its pid in the container's pid namespace. Process 1 is the container's main process.</summary>
    Task<int> StartAsync(uint process, GuestProcess spec, CancellationToken cancellationToken);

    /// <summary>Configures the guest and starts process 1 in a single round trip: the fast path of a container's start.</summary>
    Task<int> ConfigureAndStartAsync(GuestConfiguration configuration, GuestProcess main, CancellationToken cancellationToken);

    /// <summary>Sends a signal to the process (not to its group).</summary>
    Task SignalAsync(uint process, int signal, CancellationToken cancellationToken);

    /// <summary>Sets the terminal's size.</summary>
    Task ResizeAsync(uint process, ushort rows, ushort columns, CancellationToken cancellationToken);

    /// <summary>Sends standard input, waiting for the guest's window. Fails with <see cref="AgentException"/> (code Gone) when the process no longer reads.</summary>
    ValueTask WriteInputAsync(uint process, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Ends standard input.</summary>
    ValueTask CloseInputAsync(uint process, CancellationToken cancellationToken);

    /// <summary>
    /// Lets the guest drop output up to <paramref name="position"/> (exclusive) and send on. The guest keeps what is not
    /// acknowledged, at most <see cref="ProtocolLimits.StreamWindowBytes"/> a stream, and then stops reading from the process.
    /// </summary>
    void Acknowledge(uint process, OutputStream stream, ulong position);

    /// <summary>Processes the guest knows, ended ones too until <see cref="ForgetAsync"/>; the first call after a reconnect.</summary>
    Task<IReadOnlyList<GuestProcessStatus>> ListAsync(CancellationToken cancellationToken);

    /// <summary>After a reconnect: (re)send this stream from <paramref name="position"/> on. Nothing is sent for a process before this or its start.</summary>
    Task ResumeOutputAsync(uint process, OutputStream stream, ulong position, CancellationToken cancellationToken);

    /// <summary>Lets the guest forget an ended process whose output and exit the host has kept.</summary>
    Task ForgetAsync(uint process, CancellationToken cancellationToken);

    /// <summary>CPU, memory, I/O and process figures of the container.</summary>
    Task<GuestStatistics> GetStatisticsAsync(CancellationToken cancellationToken);

    /// <summary>The container's processes, for <c>top</c>.</summary>
    Task<IReadOnlyList<GuestProcessEntry>> ListProcessesAsync(CancellationToken cancellationToken);

    /// <summary>Reads a file or tree of the container as a tar stream (ustar/pax), as Docker's archive endpoint does.</summary>
    Task<ArchiveStat> ReadArchiveAsync(string path, Stream destination, CancellationToken cancellationToken);

    /// <summary>Reads what the container is made of, without what is mounted in it.</summary>
    Task ReadTreeAsync(GuestTree tree, Stream destination, CancellationToken cancellationToken);

    /// <summary>Stat only.</summary>
    Task<ArchiveStat> StatAsync(string path, CancellationToken cancellationToken);

    /// <summary>Unpacks a tar stream into a folder of the container.</summary>
    Task WriteArchiveAsync(string path, Stream tar, bool noOverwriteDirNonDir, CancellationToken cancellationToken);

    /// <summary>Ends all processes (SIGKILL), unmounts everything and forgets all: the guest is as it was before it was configured.</summary>
    Task ResetAsync(CancellationToken cancellationToken);

    /// <summary>Ends all processes (SIGKILL), syncs, unmounts and powers off. Answers before the power-off.</summary>
    Task PowerOffAsync(CancellationToken cancellationToken);
}

/// <summary>What the guest tells without being asked. Called on the connection's reading loop: must not block for long.</summary>
public interface IAgentEvents
{
    /// <summary>Output of a process from <paramref name="position"/> on; the memory is only valid during the call. Empty data: end of the stream.</summary>
    ValueTask OnOutputAsync(uint process, OutputStream stream, ulong position, ReadOnlyMemory<byte> data);

    /// <summary>A process ended. Its output may still follow until both streams have ended.</summary>
    ValueTask OnExitAsync(uint process, ProcessExit exit);

    /// <summary>
    /// A process of the container has connected to its workload socket: bytes from and to it. Whoever serves the connection completes both
    /// ends; nobody does, unless this is implemented, and it is closed.
    /// </summary>
    void OnConnected(IDuplexPipe connection)
    {
        connection.Input.Complete();
        connection.Output.Complete();
    }
}

/// <summary>Output stream of a process; with a terminal everything is <see cref="Stdout"/>.</summary>
public enum OutputStream : byte
{
    /// <summary>Standard output.</summary>
    Stdout = 1,

    /// <summary>Standard error.</summary>
    Stderr = 2,
}

/// <summary>How a process ended.</summary>
/// <param name="Code">Exit code 0–255, or 128 + signal.</param>
/// <param name="Signal">Signal number, or 0.</param>
/// <param name="OomKilled">The kernel's OOM killer struck in the container's cgroup during its life.</param>
public readonly record struct ProcessExit(int Code, int Signal, bool OomKilled);

/// <summary>What makes a clone nobody's twin.</summary>
public sealed record GuestIdentity
{
    /// <summary>Fresh entropy from the host, 64 bytes.</summary>
    public required byte[] Entropy { get; init; }

    /// <summary>Wall clock, nanoseconds since the Unix epoch, taken as late as possible.</summary>
    public required long WallClockNanoseconds { get; init; }

    /// <summary>Host name.</summary>
    public required string Hostname { get; init; }

    /// <summary>NIS domain name; empty: none.</summary>
    public string Domainname { get; init; } = "";

    /// <summary>32 lower-case hexadecimal digits for /etc/machine-id-style use.</summary>
    public required string MachineId { get; init; }

    /// <summary>Its connections and the names it knows.</summary>
    public GuestNetwork Network { get; init; } = new();

    /// <summary>What is in <see cref="GuestConfiguration.IdentityFolder"/>.</summary>
    public IReadOnlyList<GuestFile> Files { get; init; } = [];
}

/// <summary>A container's network cards and what it finds names by.</summary>
public sealed record GuestNetwork
{
    /// <summary>Network cards that are connected, each at most once; the container does not see the others.</summary>
    public IReadOnlyList<GuestInterface> Interfaces { get; init; } = [];

    /// <summary>Lines for /etc/hosts below the ones for localhost and the host name; written over the image's.</summary>
    public IReadOnlyList<string> HostsLines { get; init; } = [];

    /// <summary>Text of /etc/resolv.conf.</summary>
    public string ResolvConf { get; init; } = "";
}

/// <summary>How a network card (<c>eth0</c>, …) is set up. Addresses are bytes in network order; empty: none.</summary>
public sealed record GuestInterface
{
    /// <summary>Which card: 0 is <c>eth0</c>.</summary>
    public required int Number { get; init; }

    /// <summary>Its MAC, 6 bytes.</summary>
    public required byte[] Mac { get; init; }

    /// <summary>Largest packet, bytes.</summary>
    public required int Mtu { get; init; }

    /// <summary>IPv4 address, 4 bytes.</summary>
    public byte[] Ipv4 { get; init; } = [];

    /// <summary>Length of its prefix.</summary>
    public int Ipv4PrefixLength { get; init; }

    /// <summary>IPv6 address, 16 bytes; without one the card has no IPv6 at all.</summary>
    public byte[] Ipv6 { get; init; } = [];

    /// <summary>Length of its prefix.</summary>
    public int Ipv6PrefixLength { get; init; }

    /// <summary>What is reached through its network's gateway.</summary>
    public IReadOnlyList<GuestRoute> Routes { get; init; } = [];
}

/// <summary>A route of a network card. Addresses are 4 or 16 bytes in network order.</summary>
/// <param name="Destination">First address of the network that it leads to; all zero with no prefix: the default route.</param>
/// <param name="PrefixLength">Length of its prefix.</param>
/// <param name="Gateway">The gateway, of the same IP version.</param>
public sealed record GuestRoute(byte[] Destination, int PrefixLength, byte[] Gateway);

/// <summary>A small text file.</summary>
/// <param name="Name">Name without a folder.</param>
/// <param name="Text">What is in it.</param>
/// <param name="IsSecret">Only the user of the container's first process may read it.</param>
public sealed record GuestFile(string Name, string Text, bool IsSecret);

/// <summary>Everything a clone learns when it wakes.</summary>
public sealed record GuestConfiguration
{
    /// <summary>Names, time and entropy.</summary>
    public required GuestIdentity Identity { get; init; }

    /// <summary>File system of /dev/vda.</summary>
    public string ImageFileSystem { get; init; } = "squashfs";

    /// <summary>The image is the whole root: no writable layer.</summary>
    public bool ReadOnlyRoot { get; init; }

    /// <summary>A scratch disk (ext4, /dev/vdb) is there; otherwise the writable layer is a tmpfs.</summary>
    public bool HasScratch { get; init; } = true;

    /// <summary>tmpfs mounts: target and options.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Tmpfs { get; init; } = [];

    /// <summary>Volumes to mount: the first is on /dev/vdc, and so on, by their number.</summary>
    public IReadOnlyList<GuestVolume> Volumes { get; init; } = [];

    /// <summary>Size of /dev/shm in bytes.</summary>
    public long ShmSizeBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>cgroup memory.max in bytes; 0: none.</summary>
    public long MemoryLimitBytes { get; init; }

    /// <summary>cgroup cpu.max in 10⁻⁹ CPUs; 0: none.</summary>
    public long NanoCpus { get; init; }

    /// <summary>cgroup pids.max; 0: none.</summary>
    public long PidsLimit { get; init; }

    /// <summary>Kernel parameters, dotted names.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Sysctls { get; init; } = [];

    /// <summary>Where the container finds the files of its identity; empty: nowhere.</summary>
    public string IdentityFolder { get; init; } = "";

    /// <summary>Mount /proc and /sys fully writable and unmasked.</summary>
    public bool Privileged { get; init; }
}

/// <summary>A process to start in the container.</summary>
public sealed record GuestProcess
{
    /// <summary>Program (looked up in the PATH of <see cref="Environment"/> when it has no slash) and arguments.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Environment; HOME is added from the image's passwd, TERM for terminals, HOSTNAME and PATH when absent.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Working directory, made when absent.</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary><c>user[:group]</c> by name or number, from the image's /etc/passwd and /etc/group.</summary>
    public string User { get; init; } = "";

    /// <summary>Supplementary groups by name or number.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Capability bits of the bounding, permitted, effective and inheritable (Docker's rules) sets.</summary>
    public ulong Capabilities { get; init; }

    /// <summary>PR_SET_NO_NEW_PRIVS.</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary>Resource limits: RLIMIT_ number, soft, hard.</summary>
    public IReadOnlyList<(int Resource, ulong Soft, ulong Hard)> Rlimits { get; init; } = [];

    /// <summary>oom_score_adj.</summary>
    public int OomScoreAdjustment { get; init; }

    /// <summary>Give it a terminal (of the given size when not 0).</summary>
    public bool Tty { get; init; }

    /// <summary>Terminal rows, 0: unset.</summary>
    public ushort Rows { get; init; }

    /// <summary>Terminal columns, 0: unset.</summary>
    public ushort Columns { get; init; }

    /// <summary>Standard input is a pipe (or the terminal) that the host feeds; otherwise /dev/null.</summary>
    public bool OpenStdin { get; init; }

    /// <summary>Output is thrown away in the guest (detached exec).</summary>
    public bool DiscardOutput { get; init; }
}

/// <summary>A process as the agent knows it.</summary>
public sealed record GuestProcessStatus
{
    /// <summary>Number given by the host.</summary>
    public required uint Process { get; init; }

    /// <summary>Pid in the container's namespace.</summary>
    public required int Pid { get; init; }

    /// <summary>Null while it runs.</summary>
    public ProcessExit? Exit { get; init; }

    /// <summary>First retained and next position of stdout, and whether it has ended.</summary>
    public required StreamStatus Stdout { get; init; }

    /// <summary>Same for stderr.</summary>
    public required StreamStatus Stderr { get; init; }
}

/// <summary>Positions of a stream that the guest holds.</summary>
/// <param name="First">Oldest position not acknowledged.</param>
/// <param name="Next">Position after the last byte read from the process.</param>
/// <param name="Ended">The process closed it.</param>
public readonly record struct StreamStatus(ulong First, ulong Next, bool Ended);

/// <summary>Figures of the container's cgroup and devices.</summary>
public sealed record GuestStatistics
{
    /// <summary>CPU time, nanoseconds.</summary>
    public long CpuTotalNanoseconds { get; init; }

    /// <summary>User part.</summary>
    public long CpuUserNanoseconds { get; init; }

    /// <summary>Kernel part.</summary>
    public long CpuSystemNanoseconds { get; init; }

    /// <summary>CPU time of the whole guest incl. idle, nanoseconds (Docker's system_cpu_usage).</summary>
    public long SystemTotalNanoseconds { get; init; }

    /// <summary>vCPUs online.</summary>
    public int OnlineCpus { get; init; }

    /// <summary>memory.current.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>memory.peak or the largest seen.</summary>
    public long MemoryPeakBytes { get; init; }

    /// <summary>inactive_file of memory.stat.</summary>
    public long MemoryInactiveFileBytes { get; init; }

    /// <summary>anon of memory.stat.</summary>
    public long MemoryAnonymousBytes { get; init; }

    /// <summary>Limit in force: memory.max or the guest's memory.</summary>
    public long MemoryLimitBytes { get; init; }

    /// <summary>Bytes read from disks.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Bytes written to disks.</summary>
    public long WriteBytes { get; init; }

    /// <summary>pids.current.</summary>
    public long Pids { get; init; }

    /// <summary>oom_kill of memory.events.</summary>
    public long OomKills { get; init; }
}

/// <summary>A line of <c>top</c>.</summary>
/// <param name="Pid">Pid in the container.</param>
/// <param name="ParentPid">Parent's pid in the container.</param>
/// <param name="UserId">Real user id.</param>
/// <param name="StartTimeSeconds">Start, seconds since the Unix epoch.</param>
/// <param name="CpuTime">CPU time, nanoseconds.</param>
/// <param name="Terminal">Controlling terminal, or <c>?</c>.</param>
/// <param name="Command">Command line.</param>
public sealed record GuestProcessEntry(int Pid, int ParentPid, uint UserId, long StartTimeSeconds, long CpuTime, string Terminal, string Command);

/// <summary>Stat of a path in the container.</summary>
/// <param name="Name">Base name.</param>
/// <param name="Size">Size in bytes.</param>
/// <param name="Mode">st_mode.</param>
/// <param name="ModifiedAt">Modification time, seconds since the Unix epoch.</param>
/// <param name="LinkTarget">Target of a symbolic link, or empty.</param>
public sealed record ArchiveStat(string Name, long Size, uint Mode, long ModifiedAt, string LinkTarget);
