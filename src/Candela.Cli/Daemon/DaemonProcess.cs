using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Candela.Cli.Terminal;
using Microsoft.Win32.SafeHandles;

namespace Candela.Cli.Daemon;

/// <summary>The daemon's process: found by its pid file, started detached, ended by signal. Pinned by a pidfd, so that a reused pid does no harm.</summary>
internal sealed unsafe partial class DaemonProcess : IDisposable
{
    private readonly SafeFileHandle descriptor;

    private DaemonProcess(int pid, SafeFileHandle descriptor, bool isChild)
    {
        Pid = pid;
        this.descriptor = descriptor;
        IsChild = isChild;
    }

    /// <summary>The daemon's program: beside this one.</summary>
    public static string ProgramPath => Path.Combine(Path.GetDirectoryName(Environment.ProcessPath!)!, "candelad");

    public int Pid { get; }

    private bool IsChild { get; }

    /// <summary>The process that the pid file names, if it lives and runs a program called candelad; else null.</summary>
    public static DaemonProcess? Find(string pidFile)
    {
        string text;
        try
        {
            text = File.ReadAllText(pidFile);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        string first = text.Split(['\n', ' '], 2)[0];
        if (!int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) || pid <= 1)
            return null;
        if (Open(pid) is not { } descriptor)
            return null;
        // The pidfd pins the process first; what /proc says afterwards is about this very process, or it is gone.
        var process = new DaemonProcess(pid, descriptor, isChild: false);
        if (process.Program() is { } program && Path.GetFileName(WithoutDeleted(program)) == "candelad" && !process.WaitForExit(0))
            return process;
        process.Dispose();
        return null;
    }

    /// <summary>The program file that the process runs was replaced since it started.</summary>
    public bool RunsOldProgram(string currentProgram)
    {
        string? program = Program();
        return program is not null && (program.EndsWith(DeletedSuffix, StringComparison.Ordinal) || program != currentProgram);
    }

    /// <summary>The program and its arguments; empty: the process has ended.</summary>
    public IReadOnlyList<string> CommandLine
    {
        get
        {
            try
            {
                return File.ReadAllText($"/proc/{Pid}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
            }
            catch (IOException)
            {
                return [];
            }
        }
    }

    /// <summary>Starts a program in a session of its own, its output appended to a log file.</summary>
    public static DaemonProcess Start(string program, IReadOnlyList<string> arguments, string logFile)
    {
        var argv = new NullTerminatedStrings([program, .. arguments]);
        var environment = new List<string>();
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
            environment.Add($"{variable.Key}={variable.Value}");
        var envp = new NullTerminatedStrings(environment);
        // Opaque to us: glibc's sizes on x86-64 are 80, 336 and 128 bytes.
        byte* actions = stackalloc byte[128];
        byte* attributes = stackalloc byte[512];
        byte* signals = stackalloc byte[128];
        try
        {
            Check(posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
            Check(posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0), "open /dev/null");
            Check(posix_spawn_file_actions_addopen(actions, 1, logFile, O_WRONLY | O_CREAT | O_APPEND, 0b110_100_000), "open " + logFile);
            Check(posix_spawn_file_actions_adddup2(actions, 1, 2), "dup2");
            Check(posix_spawn_file_actions_addclosefrom_np(actions, 3), "closefrom");
            Check(posix_spawnattr_init(attributes), "posix_spawnattr_init");
            Check(posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID), "posix_spawnattr_setflags");
            new Span<byte>(signals, 128).Clear();
            Check(posix_spawnattr_setsigmask(attributes, signals), "posix_spawnattr_setsigmask");
            new Span<byte>(signals, 128).Fill(0xff);
            Check(posix_spawnattr_setsigdefault(attributes, signals), "posix_spawnattr_setsigdefault");
            int pid;
            Check(posix_spawn(&pid, program, actions, attributes, argv.Pointer, envp.Pointer), "start " + program);
            return new DaemonProcess(pid, Open(pid) ?? throw new InvalidOperationException($"pidfd_open: {Marshal.GetLastPInvokeErrorMessage()}"), isChild: true);
        }
        finally
        {
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
            argv.Free();
            envp.Free();
        }
    }

    public void Signal(int signal)
    {
        if (pidfd_send_signal((int)descriptor.DangerousGetHandle(), signal, null, 0) != 0 && Marshal.GetLastPInvokeError() != Libc.ESRCH)
            throw new UnauthorizedAccessException($"cannot signal candelad (pid {Pid}): {Marshal.GetLastPInvokeErrorMessage()}; try again as root");
    }

    /// <summary>True when the process has ended, now or within the time.</summary>
    public bool WaitForExit(int timeoutMs)
    {
        var poll = new Libc.PollFd { Fd = (int)descriptor.DangerousGetHandle(), Events = Libc.POLLIN };
        return Libc.poll(&poll, 1, timeoutMs) > 0;
    }

    public void Dispose()
    {
        if (IsChild)
            _ = waitpid(Pid, null, WNOHANG);
        descriptor.Dispose();
    }

    private string? Program()
    {
        byte* buffer = stackalloc byte[4096];
        nint length = readlink($"/proc/{Pid}/exe", buffer, 4096);
        return length > 0 ? Encoding.UTF8.GetString(buffer, (int)length) : null;
    }

    private static string WithoutDeleted(string path) =>
        path.EndsWith(DeletedSuffix, StringComparison.Ordinal) ? path[..^DeletedSuffix.Length] : path;

    private static SafeFileHandle? Open(int pid)
    {
        int descriptor = pidfd_open(pid, 0);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static void Check(int error, string what)
    {
        if (error != 0)
            throw new IOException($"cannot {what}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>What the kernel adds to /proc/PID/exe when the file was unlinked or replaced.</summary>
    private const string DeletedSuffix = " (deleted)";

    private const int O_RDONLY = 0;
    private const int O_WRONLY = 1;
    private const int O_CREAT = 0x40;
    private const int O_APPEND = 0x400;
    private const int WNOHANG = 1;
    private const short POSIX_SPAWN_SETSIGDEF = 0x04;
    private const short POSIX_SPAWN_SETSIGMASK = 0x08;
    private const short POSIX_SPAWN_SETSID = 0x80;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pidfd_open(int pid, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pidfd_send_signal(int descriptor, int signal, void* info, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int pid, int* status, int options);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint readlink(string path, byte* buffer, nint size);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(byte* actions);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addopen(byte* actions, int fd, string path, int flags, uint mode);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_adddup2(byte* actions, int from, int to);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_addclosefrom_np(byte* actions, int from);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_destroy(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(byte* attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(byte* attributes, byte* signals);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigmask(byte* attributes, byte* signals);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(int* pid, string path, byte* actions, byte* attributes, byte** argv, byte** envp);

    /// <summary>char*[] as exec wants it.</summary>
    private readonly struct NullTerminatedStrings
    {
        private readonly int count;

        public NullTerminatedStrings(IReadOnlyList<string> strings)
        {
            count = strings.Count;
            Pointer = (byte**)NativeMemory.AllocZeroed((nuint)(count + 1), (nuint)sizeof(byte*));
            for (int index = 0; index < count; index++)
                Pointer[index] = (byte*)Marshal.StringToCoTaskMemUTF8(strings[index]);
        }

        public byte** Pointer { get; }

        public void Free()
        {
            for (int index = 0; index < count; index++)
                Marshal.FreeCoTaskMem((nint)Pointer[index]);
            NativeMemory.Free(Pointer);
        }
    }
}
