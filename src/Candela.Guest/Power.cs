using Candela.Guest.Native;

namespace Candela.Guest;

/// <summary>The end of the micro-VM.</summary>
internal static unsafe class Power
{
    private const int UnmountTries = 50;
    private const int PauseNanoseconds = 10_000_000;

    /// <summary>Kills every process, and brings the scratch disk into a state that needs no repair.</summary>
    public static void EndContainer()
    {
        int status;
        _ = Libc.kill(-1, Linux.SIGKILL);
        while (Libc.waitpid(-1, &status, Linux.WALL) > 0)
        {
        }
        Libc.sync();
        _ = Libc.umount2(GuestPaths.Root, Linux.MNT_DETACH);
        // The kernel takes the container's mount namespace apart in the background.
        foreach (var mount in (ReadOnlySpan<string>)[GuestPaths.Scratch, GuestPaths.Image, GuestPaths.Files])
        {
            for (var i = 0; i < UnmountTries && Libc.umount2(mount, 0) < 0 && Errno.Last == Linux.EBUSY; i++)
                Pause();
        }
        Libc.sync();
    }

    /// <summary>Ends the micro-VM: its VMM does not reboot. The device gets a moment to pass on what was written last.</summary>
    public static void Reboot()
    {
        Pause();
        _ = Libc.reboot(Linux.RB_AUTOBOOT);
    }

    private static void Pause()
    {
        var pause = new TimeSpec { Nanoseconds = PauseNanoseconds };
        _ = Libc.nanosleep(&pause, null);
    }
}
