using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static Candela.Microvisor.Native.Libc;

namespace Candela.Microvisor.Native;

/// <summary>Starts programs with exactly the descriptors they are meant to have.</summary>
internal static unsafe class ChildProcess
{
    // Larger than sizeof(posix_spawn_file_actions_t), posix_spawnattr_t and sigset_t of glibc and musl.
    private const int OpaqueBytes = 512;
    private const short POSIX_SPAWN_SETSIGDEF = 4, POSIX_SPAWN_SETSIGMASK = 8;

    // Above every target number, so that no dup2 of the child overwrites a source of a later one.
    private const int SourceMinimum = 64;

    /// <summary>
    /// Runs a short-lived program to its end. Its descriptors are those of <paramref name="descriptors"/> (number in the child → handle)
    /// and nothing else: every other descriptor of this process is close-on-exec.
    /// </summary>
    /// <returns>Exit code; 128 + signal.</returns>
    public static int Run(string path, IReadOnlyList<string> arguments, IReadOnlyDictionary<int, SafeFileHandle> descriptors)
    {
        byte* actions = stackalloc byte[OpaqueBytes], attributes = stackalloc byte[OpaqueBytes], mask = stackalloc byte[OpaqueBytes];
        var sources = new List<SafeFileHandle>();
        nint[] strings = [.. arguments.Select(Marshal.StringToCoTaskMemUTF8)];
        try
        {
            _ = posix_spawn_file_actions_init(actions);
            _ = posix_spawnattr_init(attributes);
            foreach ((int target, SafeFileHandle handle) in descriptors)
            {
                SafeFileHandle source = Own(fcntl(handle.Number(), F_DUPFD_CLOEXEC, SourceMinimum), "duplicating a descriptor");
                sources.Add(source);
                _ = posix_spawn_file_actions_adddup2(actions, source.Number(), target);
            }

            // The runtime ignores SIGPIPE and may block others; programs expect the defaults.
            new Span<byte>(mask, OpaqueBytes).Clear();
            _ = posix_spawnattr_setsigmask(attributes, mask);
            new Span<byte>(mask, 128).Fill(0xFF);
            _ = posix_spawnattr_setsigdefault(attributes, mask);
            _ = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

            byte** argv = stackalloc byte*[strings.Length + 1];
            for (int i = 0; i < strings.Length; i++)
                argv[i] = (byte*)strings[i];
            argv[strings.Length] = null;
            byte* end = null;
            int error = posix_spawn(out int pid, path, actions, attributes, argv, &end);
            if (error != 0)
                throw new IOException($"starting {path}: {Marshal.GetPInvokeErrorMessage(error)}", error);

            int status;
            while (waitpid(pid, out status, 0) < 0)
            {
                if (Marshal.GetLastPInvokeError() != EINTR)
                    throw Failure($"waiting for {path}");
            }

            return (status & 0x7F) == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F);
        }
        finally
        {
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
            foreach (SafeFileHandle source in sources)
                source.Dispose();
            foreach (nint text in strings)
                Marshal.FreeCoTaskMem(text);
        }
    }
}
