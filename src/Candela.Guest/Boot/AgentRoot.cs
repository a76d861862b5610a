using Candela.Guest.Native;

namespace Candela.Guest.Boot;

/// <summary>The agent's own root: a tmpfs over the initramfs, so that the container can pivot away from it.</summary>
internal static class AgentRoot
{
    private const string Staging = "/run";
    private const string LimitedCgroup = GuestPaths.Cgroups + "/limited";

    /// <summary>Makes and enters it, with the kernel's file systems and the container's cgroup.</summary>
    /// <exception cref="AgentFailure">A mount failed.</exception>
    public static void Enter()
    {
        const ulong Plain = Linux.MS_NOSUID | Linux.MS_NOEXEC;
        Mounts.MakeFolder(Staging);
        Mounts.Mount("tmpfs", Staging, "tmpfs", Linux.MS_NOSUID | Linux.MS_NODEV, "mode=755,size=1m");
        foreach (var folder in (ReadOnlySpan<string>)["/dev", "/proc", "/sys", GuestPaths.Cgroups, GuestPaths.Image, GuestPaths.Scratch, GuestPaths.Root, GuestPaths.Files, GuestPaths.Volumes, GuestPaths.Devices, GuestPaths.Kernel])
            Mounts.MakeFolder(Staging + folder);
        Mounts.Mount("devtmpfs", Staging + "/dev", "devtmpfs", Plain, "mode=755");
        Mounts.Mount("proc", Staging + "/proc", "proc", Plain | Linux.MS_NODEV, null);
        Mounts.Mount("sysfs", Staging + "/sys", "sysfs", Plain | Linux.MS_NODEV, null);
        // Else each process that joins the cgroup waits for an RCU grace period.
        Mounts.Mount("cgroup2", Staging + GuestPaths.Cgroups, "cgroup2", Plain | Linux.MS_NODEV, "favordynmods");
        Errno.Check(Libc.chdir(Staging), "chdir");
        Mounts.Move(".", "/");
        Errno.Check(Libc.chroot("."), "chroot");
        Errno.Check(Libc.chdir("/"), "chdir");
        foreach (var controller in (ReadOnlySpan<string>)["+cpu", "+memory", "+pids", "+io"])
            SmallFile.Write(GuestPaths.Cgroups + "/cgroup.subtree_control", controller);
        Mounts.MakeFolder(GuestPaths.ContainerCgroup);
        SwitchOnCpuLimits();
    }

    /// <summary>The first limit of CPU time that is set makes the kernel rewrite its code: better now than in every clone.</summary>
    private static void SwitchOnCpuLimits()
    {
        Mounts.MakeFolder(LimitedCgroup);
        SmallFile.Write(LimitedCgroup + "/cpu.max", "100000 100000");
    }
}
