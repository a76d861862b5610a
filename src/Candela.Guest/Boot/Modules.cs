using Candela.Guest.Native;

namespace Candela.Guest.Boot;

/// <summary>Kernel modules that the initramfs brings, in the order of /modules.list.</summary>
internal static class Modules
{
    private const string List = "/modules.list";

    /// <summary>Loads each and frees the memory of its file.</summary>
    /// <exception cref="AgentFailure">One cannot be loaded.</exception>
    public static void Load()
    {
        foreach (var path in (SmallFile.TryRead(List) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Load(path);
            _ = Libc.unlink(path);
        }
        _ = Libc.unlink(List);
    }

    private static unsafe void Load(string path)
    {
        var fd = Errno.Check(Libc.open(path, Linux.O_RDONLY | Linux.O_CLOEXEC, 0), $"open {path}");
        byte noParameters = 0;
        var result = (int)Raw.Call(Linux.SYS_finit_module, fd, (nint)(&noParameters));
        _ = Libc.close(fd);
        // ENODEV: this processor does not have what the module is for (crc32c_intel).
        if (result < 0 && result != -Linux.EEXIST && result != -Linux.ENODEV)
            throw Errno.Failure($"load {path}", -result);
    }
}
