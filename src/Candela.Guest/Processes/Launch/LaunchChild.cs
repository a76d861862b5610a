using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Candela.Guest.Native;

namespace Candela.Guest.Processes.Launch;

/// <summary>
/// What the child does between clone and execve. It runs on a stack of its own in the agent's memory while the agent's
/// only thread stands still, so it must not allocate, throw, or call into the runtime: only <see cref="Raw"/> and pointers.
/// </summary>
internal static unsafe class LaunchChild
{
    private const int SignalSetBytes = 8;
    private const int SIG_BLOCK = 0;
    private const int SIG_SETMASK = 2;
    private const int StatBytes = 144;
    private const int StatModeAt = 24;
    private const int X_OK = 1;
    private const uint DefaultMask = 0b000_010_010;

    /// <summary>Entry for clone; never returns.</summary>
    [UnmanagedCallersOnly]
    public static int Run(void* argument)
    {
        var block = (LaunchBlock*)argument;
        block->Pid = (int)Raw.Call(Linux.SYS_getpid);
        _ = Raw.Call(Linux.SYS_setsid);
        if (JoinContainer(block) && OpenStdio(block) && ApplyLimits(block) && EnterFolder(block) && BecomeUser(block))
            Execute(block);
        _ = Raw.Call(Linux.SYS_exit_group, 127);
        return 127;
    }

    private static bool JoinContainer(LaunchBlock* block)
    {
        fixed (byte* self = "0"u8)
        {
            if (!Ok(block, LaunchStep.JoinCgroup, Raw.Call(Linux.SYS_write, block->CgroupProcs, (nint)self, 1)))
                return false;
        }
        return block->IsMain
            ? Ok(block, LaunchStep.JoinNamespaces, Raw.Call(Linux.SYS_unshare, Linux.CLONE_NEWCGROUP)) && ContainerEntry.Enter(block)
            : Ok(block, LaunchStep.JoinNamespaces, Raw.Call(Linux.SYS_setns, block->CgroupNamespace, Linux.CLONE_NEWCGROUP))
                && Ok(block, LaunchStep.JoinNamespaces, Raw.Call(Linux.SYS_setns, block->MountNamespace, Linux.CLONE_NEWNS));
    }

    private static bool OpenStdio(LaunchBlock* block)
    {
        if (block->Terminal is not null)
        {
            var terminal = Raw.Call(Linux.SYS_openat, Linux.AT_FDCWD, (nint)block->Terminal, Linux.O_RDWR | Linux.O_NOCTTY | Linux.O_CLOEXEC);
            if (!Ok(block, LaunchStep.OpenTerminal, terminal)
                || !Ok(block, LaunchStep.OpenTerminal, Raw.Call(Linux.SYS_ioctl, terminal, (nint)Linux.TIOCSCTTY)))
                return false;
            _ = Raw.Call(Linux.SYS_fchown, terminal, (nint)block->Uid, -1);
            block->Stdin = block->Stdout = block->Stderr = (int)terminal;
        }
        else if (block->Stdin < 0 || block->Stdout < 0 || block->Stderr < 0)
        {
            fixed (byte* nullDevice = "/dev/null"u8)
            {
                var nothing = Raw.Call(Linux.SYS_openat, Linux.AT_FDCWD, (nint)nullDevice, Linux.O_RDWR | Linux.O_CLOEXEC);
                if (!Ok(block, LaunchStep.Stdio, nothing))
                    return false;
                block->Stdin = block->Stdin < 0 ? (int)nothing : block->Stdin;
                block->Stdout = block->Stdout < 0 ? (int)nothing : block->Stdout;
                block->Stderr = block->Stderr < 0 ? (int)nothing : block->Stderr;
            }
        }
        return Ok(block, LaunchStep.Stdio, Raw.Call(Linux.SYS_dup2, block->Stdin, 0))
            && Ok(block, LaunchStep.Stdio, Raw.Call(Linux.SYS_dup2, block->Stdout, 1))
            && Ok(block, LaunchStep.Stdio, Raw.Call(Linux.SYS_dup2, block->Stderr, 2));
    }

    private static bool ApplyLimits(LaunchBlock* block)
    {
        if (block->OomScore is not null)
        {
            fixed (byte* path = "/proc/self/oom_score_adj"u8)
            {
                var file = Raw.Call(Linux.SYS_openat, Linux.AT_FDCWD, (nint)path, Linux.O_WRONLY | Linux.O_CLOEXEC);
                if (!Ok(block, LaunchStep.OomScore, file)
                    || !Ok(block, LaunchStep.OomScore, Raw.Call(Linux.SYS_write, file, (nint)block->OomScore, block->OomScoreBytes)))
                    return false;
            }
        }
        for (var i = 0; i < block->RlimitCount; i++)
        {
            if (!Ok(block, LaunchStep.Rlimit, Raw.Call(Linux.SYS_prlimit64, 0, block->RlimitResources[i], (nint)(block->Rlimits + i))))
                return false;
        }
        return true;
    }

    private static bool EnterFolder(LaunchBlock* block) =>
        Ok(block, LaunchStep.WorkingDirectory, Raw.Call(Linux.SYS_chdir, (nint)block->WorkingDirectory));

    private static bool BecomeUser(LaunchBlock* block)
    {
        var capabilities = block->Capabilities;
        var count = 0;
        for (; count < 64; count++)
        {
            if ((capabilities >> count & 1) != 0)
                continue;
            if (Raw.Call(Linux.SYS_prctl, Linux.PR_CAPBSET_DROP, count) < 0)
                break;
        }
        capabilities &= count < 64 ? (1UL << count) - 1 : ulong.MaxValue;
        if (!Ok(block, LaunchStep.User, Raw.Call(Linux.SYS_setgroups, block->GroupCount, (nint)block->Groups))
            || !Ok(block, LaunchStep.User, Raw.Call(Linux.SYS_setresgid, (nint)block->Gid, (nint)block->Gid, (nint)block->Gid))
            || !Ok(block, LaunchStep.User, Raw.Call(Linux.SYS_setresuid, (nint)block->Uid, (nint)block->Uid, (nint)block->Uid)))
            return false;
        if (block->Uid != 0)
            capabilities = 0;
        // struct __user_cap_header_struct and two __user_cap_data_struct: effective, permitted, inheritable.
        var header = stackalloc uint[2];
        header[0] = Linux.LINUX_CAPABILITY_VERSION_3;
        header[1] = 0;
        var sets = stackalloc uint[6];
        sets[0] = sets[1] = (uint)capabilities;
        sets[3] = sets[4] = (uint)(capabilities >> 32);
        sets[2] = sets[5] = 0;
        return Ok(block, LaunchStep.Capabilities, Raw.Call(Linux.SYS_capset, (nint)header, (nint)sets))
            && (!block->NoNewPrivileges || Ok(block, LaunchStep.Capabilities, Raw.Call(Linux.SYS_prctl, Linux.PR_SET_NO_NEW_PRIVS, 1)));
    }

    private static void Execute(LaunchBlock* block)
    {
        _ = Raw.Call(Linux.SYS_umask, (nint)DefaultMask);
        _ = Raw.Call(Linux.SYS_close_range, 3, int.MaxValue, (nint)Linux.CLOSE_RANGE_CLOEXEC);
        ResetSignals(block->ChangedSignals);
        var stat = stackalloc byte[StatBytes];
        for (var candidate = block->Candidates; *candidate is not null; candidate++)
        {
            var result = Raw.Call(Linux.SYS_newfstatat, Linux.AT_FDCWD, (nint)(*candidate), (nint)stat, 0);
            if (result >= 0 && (*(uint*)(stat + StatModeAt) & Linux.S_IFMT) == Linux.S_IFDIR)
                result = -Linux.EISDIR;
            if (result >= 0)
                result = Raw.Call(Linux.SYS_faccessat2, Linux.AT_FDCWD, (nint)(*candidate), X_OK, Linux.AT_EACCESS);
            if (result >= 0)
            {
                result = Raw.Call(Linux.SYS_execve, (nint)(*candidate), (nint)block->Arguments, (nint)block->Environment);
                _ = Ok(block, LaunchStep.Execute, result);
                return;
            }
            if (!block->Searches)
            {
                _ = Ok(block, LaunchStep.Find, result);
                return;
            }
        }
        _ = Ok(block, LaunchStep.Find, -Linux.ENOENT);
    }

    private static void ResetSignals(ulong changed)
    {
        // struct kernel_sigaction: handler, flags, restorer, mask; all zero is the default action.
        var action = stackalloc ulong[4];
        for (var i = 0; i < 4; i++)
            action[i] = 0;
        for (var signal = 1; signal <= Linux.SignalMost; signal++)
        {
            if ((changed >> (signal - 1) & 1) != 0)
                _ = Raw.Call(Linux.SYS_rt_sigaction, signal, (nint)action, 0, SignalSetBytes);
        }
        ulong none = 0;
        _ = Raw.Call(Linux.SYS_rt_sigprocmask, SIG_SETMASK, (nint)(&none), 0, SignalSetBytes);
    }

    /// <summary>Blocks every signal for the calling thread; the result is the former mask.</summary>
    public static ulong BlockSignals()
    {
        ulong all = ulong.MaxValue, before = 0;
        _ = Raw.Call(Linux.SYS_rt_sigprocmask, SIG_BLOCK, (nint)(&all), (nint)(&before), SignalSetBytes);
        return before;
    }

    /// <summary>Sets the calling thread's mask.</summary>
    public static void RestoreSignals(ulong mask) => Raw.Call(Linux.SYS_rt_sigprocmask, SIG_SETMASK, (nint)(&mask), 0, SignalSetBytes);

    /// <summary>Notes a failed call.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Ok(LaunchBlock* block, LaunchStep step, nint result)
    {
        if (result >= 0)
            return true;
        block->FailedStep = step;
        block->Error = (int)-result;
        return false;
    }
}
