using static Candela.Jailer.Libc;

namespace Candela.Jailer;

/// <summary>
/// The file system that the program sees: a read-only tmpfs with the shared libraries, the program's own data files, two devices and a
/// /proc of its own processes. Runs in a mount namespace of its own.
/// </summary>
internal static class PrivateRoot
{
    /// <summary>Folders that a dynamically linked QEMU of Debian needs; absent ones are left out.</summary>
    private static readonly string[] LibraryFolders =
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib/x86_64-linux-gnu", "/lib64", "/usr/share/qemu", "/usr/share/seabios", "/usr/lib/ipxe"];

    private static readonly string[] Files = ["/etc/ld.so.cache", "/dev/null", "/dev/urandom"];

    /// <summary>Makes it below <paramref name="root"/> and makes it the root of this process.</summary>
    public static void Enter(string root, string program, IReadOnlyList<string> shares)
    {
        Check(mount("none", "/", null, MS_REC | MS_PRIVATE, null), "making mounts private");
        Check(mount("candela", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=256,mode=755"), $"mounting the private root at {root}");
        foreach (string folder in LibraryFolders)
        {
            if (Directory.Exists(folder))
                Share(root, folder);
        }

        foreach (string file in Files)
            Share(root, file);
        Share(root, program);
        foreach (string share in shares)
            Share(root, share);

        MakeFolders(root + "/proc");
        Check(mount("proc", root + "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=invisible,subset=pid"), "mounting /proc");
        Check(mount("none", root, null, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, null), "making the private root read-only");
        Check(chdir(root), "entering the private root");
        unsafe
        {
            fixed (byte* dot = "."u8)
                Check(syscall(SYS_pivot_root, (nint)dot, (nint)dot, 0), "pivot_root");
        }

        Check(umount2(".", MNT_DETACH), "detaching the host's root");
        Check(chdir("/"), "entering /");
    }

    private static void Share(string root, string path)
    {
        string target = root + path;
        bool folder = Directory.Exists(path);
        bool device = path.StartsWith("/dev/", StringComparison.Ordinal);
        MakeFolders(folder ? target : target[..target.LastIndexOf('/')]);
        if (!folder)
        {
            int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0b100_100_100);
            Check(fd, $"making {target}");
            _ = close(fd);
        }

        Check(mount(path, target, null, MS_BIND, null), $"sharing {path}");
        ulong flags = MS_BIND | MS_REMOUNT | MS_NOSUID | (device ? MS_NOEXEC : MS_RDONLY | MS_NODEV);
        Check(mount("none", target, null, flags, null), $"restricting {path}");
    }

    private static void MakeFolders(string path)
    {
        for (int i = path.IndexOf('/', 1); i >= 0; i = path.IndexOf('/', i + 1))
            _ = mkdir(path[..i], 0b111_101_101);
        _ = mkdir(path, 0b111_101_101);
    }
}
