using System.Globalization;
using System.Text;
using static Candela.Jailer.Libc;

namespace Candela.Jailer;

/// <summary>
/// Starts a program in a jail. The outer half joins the cgroups, makes the namespaces and starts the inner half, which is process 1 of the
/// new pid namespace and becomes the program. Exit code 0: the program's pid was reported; 1: message on standard error.
/// </summary>
internal static unsafe class Program
{
    private const string InnerMark = "--inner";
    private const int F_SETFD = 2, FD_CLOEXEC = 1;
    private const int CapabilityLast = 63;

    private static int Main(string[] arguments)
    {
        if (arguments is ["--help" or "-h"])
        {
            Write(1, JailOptions.Help);
            return 0;
        }

        bool inner = arguments is [InnerMark, ..];
        try
        {
            JailOptions options = JailOptions.Parse(inner ? arguments.AsSpan(1) : arguments);
            if (inner)
                RunInner(options);
            else
                RunOuter(options, arguments);
            return 0;
        }
        catch (Exception e) when (e is ArgumentException or JailException or IOException or UnauthorizedAccessException)
        {
            Write(2, $"candela-jailer: {e.Message}\n");
            return 1;
        }
    }

    private static void RunOuter(JailOptions options, string[] arguments)
    {
        foreach (string file in options.Cgroups)
        {
            int fd = open(file, O_WRONLY | O_CLOEXEC, 0);
            Check(fd, $"opening {file}");
            Write(fd, "0");
            _ = close(fd);
        }

        Check(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS), "making namespaces");
        byte** argv = Strings(["candela-jailer", InnerMark, .. arguments]);
        byte** environment = Strings([]);
        int error = posix_spawn(out int pid, "/proc/self/exe", 0, 0, argv, environment);
        if (error != 0)
            throw new JailException($"starting the inner half: error {error}");
        Write(options.ReportDescriptor, pid.ToString(CultureInfo.InvariantCulture) + "\n");
    }

    private static void RunInner(JailOptions options)
    {
        Check(fcntl(options.ReportDescriptor, F_SETFD, FD_CLOEXEC), "closing the report at exec");
        Check(setsid(), "setsid");
        _ = umask(0);
        PrivateRoot.Enter(options.Root, options.Command[0], options.Shares);
        _ = umask(0b000_111_111);

        Check(setrlimit(RLIMIT_CORE, new RLimit()), "setrlimit");
        Check(setrlimit(RLIMIT_NOFILE, new RLimit { Current = 256, Maximum = 256 }), "setrlimit");
        Check(setrlimit(RLIMIT_MEMLOCK, new RLimit()), "setrlimit");
        for (int capability = 0; capability <= CapabilityLast; capability++)
            _ = prctl(PR_CAPBSET_DROP, (ulong)capability, 0, 0, 0); // numbers beyond the kernel's last are refused
        _ = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

        // Straight system calls: glibc's would first look for other threads to change.
        uint group = options.Group ?? 0;
        Check(syscall(SYS_setgroups, options.Group is null ? 0 : 1, (nint)(&group), 0), "setgroups");
        var id = (nint)options.UserId;
        Check(syscall(SYS_setresgid, id, id, id), "setresgid");
        Check(syscall(SYS_setresuid, id, id, id), "setresuid");
        ulong header = 0x20080522; // _LINUX_CAPABILITY_VERSION_3, this process
        ulong* none = stackalloc ulong[3];
        Check(syscall(SYS_capset, (nint)(&header), (nint)none, 0), "capset");
        // Stacks, heaps and translation caches of hundreds of VMMs: huge pages would round each of them up to 2 MiB.
        Check(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), "disabling huge pages");
        Check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
        Check(execve(options.Command[0], Strings(options.Command), Strings(["PATH=/usr/bin", "LC_ALL=C", "MALLOC_ARENA_MAX=1"])), $"executing {options.Command[0]}");
    }

    private static void Write(int fd, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* data = bytes)
        {
            if (write(fd, data, (nuint)bytes.Length) != bytes.Length)
                throw new JailException($"writing to descriptor {fd} failed");
        }
    }
}
