using Candela.Guest.Container;
using Candela.Guest.Native;

namespace Candela.Guest;

/// <summary>The end of the micro-VM.</summary>
internal static unsafe class Power
{
    private const int UnmountTries = 50;
    private const int PauseNanoseconds = 10_000_000;

    /// <summary>
    /// Kills every process, and brings the scratch disk into a state that needs no repair, unless <paramref name="keep"/> is false: then
    /// what is on it does not matter any more. False: something stays mounted.
    /// </summary>
    public static bool EndContainer(bool keep)
    {
        int status;
        _ = Libc.kill(-1, Linux.SIGKILL);
        while (Libc.waitpid(-1, &status, Linux.WALL) > 0)
        {
        }
        if (keep)
            Libc.sync();
        else
            ShutDown(GuestPaths.Scratch);
        foreach (var tree in (ReadOnlySpan<string>)[GuestPaths.Root, GuestPaths.Devices, GuestPaths.Kernel])
            _ = Libc.umount2(tree, Linux.MNT_DETACH);
        var isUnmounted = true;
        foreach (var disk in VolumeMounts.Mounted)
            isUnmounted &= Unmount(disk);
        VolumeMounts.Clear();
        foreach (var mount in (ReadOnlySpan<string>)[GuestPaths.Scratch, GuestPaths.Image, GuestPaths.Files])
            isUnmounted &= Unmount(mount);
        if (keep)
            Libc.sync();
        return isUnmounted;
    }

    /// <summary>Ends the micro-VM: its VMM does not reboot. The device gets a moment to pass on what was written last.</summary>
    public static void Reboot()
    {
        Pause();
        _ = Libc.reboot(Linux.RB_AUTOBOOT);
    }

    /// <summary>Nothing more is written to this file system.</summary>
    private static void ShutDown(string path)
    {
        var folder = Libc.open(path, Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0);
        if (folder < 0)
            return;
        var how = Linux.EXT4_GOING_FLAGS_NOLOGFLUSH;
        _ = Libc.ioctl(folder, Linux.EXT4_IOC_SHUTDOWN, &how);
        _ = Libc.close(folder);
    }

    /// <summary>The kernel takes the container's mount namespace apart in the background: until then its mounts are busy.</summary>
    private static bool Unmount(string path)
    {
        for (var i = 0; i < UnmountTries; i++)
        {
            if (Libc.umount2(path, 0) >= 0)
                return true;
            if (Errno.Last != Linux.EBUSY)
                return Errno.Last == Linux.EINVAL; // nothing is mounted there
            Pause();
        }
        return false;
    }

    private static void Pause()
    {
        var pause = new TimeSpec { Nanoseconds = PauseNanoseconds };
        _ = Libc.nanosleep(&pause, null);
    }
}
