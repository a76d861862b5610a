using Candela.Guest.Native;

namespace Candela.Guest.Processes.Launch;

/// <summary>
/// How the first process enters the container's root, in a mount namespace and pid namespace of its own: only from
/// there can the container's /proc be mounted. Under the same rules as <see cref="LaunchChild"/>.
/// </summary>
internal static unsafe class ContainerEntry
{
    private const ulong Plain = Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC;

    /// <summary>Pivots and mounts; false with the failure noted.</summary>
    public static bool Enter(LaunchBlock* block)
    {
        fixed (byte* here = "."u8, top = "/"u8, proc = "/proc"u8, procName = "proc"u8, console = "/dev/console"u8)
        {
            if (!LaunchChild.Ok(block, LaunchStep.EnterRoot, Raw.Call(Linux.SYS_chdir, (nint)block->Root))
                || !LaunchChild.Ok(block, LaunchStep.EnterRoot, Raw.Call(Linux.SYS_pivot_root, (nint)here, (nint)here))
                || !LaunchChild.Ok(block, LaunchStep.EnterRoot, Raw.Call(Linux.SYS_umount2, (nint)here, Linux.MNT_DETACH))
                || !LaunchChild.Ok(block, LaunchStep.EnterRoot, Raw.Call(Linux.SYS_chdir, (nint)top))
                || !LaunchChild.Ok(block, LaunchStep.MountProc, Mount(procName, proc, procName, Plain)))
                return false;
            if (block->Terminal is not null)
                _ = Mount(block->Terminal, console, null, Linux.MS_BIND);
        }
        return block->Privileged || Mask(block);
    }

    private static bool Mask(LaunchBlock* block)
    {
        fixed (byte* acpi = "/proc/acpi"u8, asound = "/proc/asound"u8, interrupts = "/proc/interrupts"u8, kcore = "/proc/kcore"u8,
            keys = "/proc/keys"u8, latency = "/proc/latency_stats"u8, timers = "/proc/timer_list"u8, timerStats = "/proc/timer_stats"u8,
            sched = "/proc/sched_debug"u8, scsi = "/proc/scsi"u8)
        {
            var hidden = stackalloc byte*[] { acpi, asound, interrupts, kcore, keys, latency, timers, timerStats, sched, scsi };
            for (var i = 0; i < 10; i++)
            {
                if (!LaunchChild.Ok(block, LaunchStep.MountProc, Hide(hidden[i])))
                    return false;
            }
        }
        fixed (byte* bus = "/proc/bus"u8, fs = "/proc/fs"u8, irq = "/proc/irq"u8, sys = "/proc/sys"u8, sysrq = "/proc/sysrq-trigger"u8)
        {
            var fixedPaths = stackalloc byte*[] { bus, fs, irq, sys, sysrq };
            for (var i = 0; i < 5; i++)
            {
                if (!LaunchChild.Ok(block, LaunchStep.MountProc, MakeReadOnly(fixedPaths[i])))
                    return false;
            }
        }
        return true;
    }

    private static nint Hide(byte* path)
    {
        fixed (byte* nothing = "/dev/null"u8, tmpfs = "tmpfs"u8)
        {
            var result = Mount(nothing, path, null, Linux.MS_BIND);
            if (result == -Linux.ENOTDIR)
                result = Mount(tmpfs, path, tmpfs, Linux.MS_RDONLY);
            return result == -Linux.ENOENT ? 0 : result;
        }
    }

    private static nint MakeReadOnly(byte* path)
    {
        var result = Mount(path, path, null, Linux.MS_BIND | Linux.MS_REC);
        if (result == -Linux.ENOENT)
            return 0;
        return result < 0 ? result : Mount(path, path, null, Linux.MS_BIND | Linux.MS_REMOUNT | Linux.MS_RDONLY | Plain);
    }

    private static nint Mount(byte* source, byte* target, byte* fileSystem, ulong flags) =>
        Raw.Call(Linux.SYS_mount, (nint)source, (nint)target, (nint)fileSystem, (nint)flags, 0);
}
