using Candela.Guest.Native;

namespace Candela.Guest.Processes.Launch;

/// <summary>Where a launch failed.</summary>
internal enum LaunchStep
{
    None,
    JoinCgroup,
    JoinNamespaces,
    EnterRoot,
    MountProc,
    OpenTerminal,
    Stdio,
    OomScore,
    Rlimit,
    Capabilities,
    User,
    WorkingDirectory,
    Find,
    Execute,
}

/// <summary>
/// Everything that the child needs, as pointers into memory that it shares with the agent, and what it tells back.
/// Descriptors that are absent are −1.
/// </summary>
internal unsafe struct LaunchBlock
{
    /// <summary>The container's first process, which enters the prepared root; any other joins its namespaces.</summary>
    public bool IsMain;
    public bool Privileged;
    public byte* Root;
    public int CgroupProcs;
    public int MountNamespace;
    public int CgroupNamespace;

    /// <summary>Path of the terminal in the container, or null.</summary>
    public byte* Terminal;
    public int Stdin;
    public int Stdout;
    public int Stderr;

    /// <summary>Text for oom_score_adj, or null.</summary>
    public byte* OomScore;
    public int OomScoreBytes;
    public int RlimitCount;
    public int* RlimitResources;
    public RLimit* Rlimits;

    public ulong Capabilities;
    public bool NoNewPrivileges;

    /// <summary>Signals to set to their default action, from bit 0 for signal 1.</summary>
    public ulong ChangedSignals;
    public uint Uid;
    public uint Gid;
    public uint* Groups;
    public int GroupCount;
    public byte* WorkingDirectory;

    /// <summary>Paths to try, ended by null.</summary>
    public byte** Candidates;

    /// <summary>The name had no slash: what is not executable is passed over.</summary>
    public bool Searches;
    public byte** Arguments;
    public byte** Environment;

    /// <summary>Result: pid in the container.</summary>
    public int Pid;

    /// <summary>Result: what failed; none while all is well.</summary>
    public LaunchStep FailedStep;

    /// <summary>Result: its error number.</summary>
    public int Error;
}
