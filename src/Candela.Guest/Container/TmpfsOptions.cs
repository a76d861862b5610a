using Candela.Guest.Native;

namespace Candela.Guest.Container;

/// <summary>Options of a tmpfs as <c>--tmpfs</c> takes them, apart into mount flags and what the file system reads itself.</summary>
internal static class TmpfsOptions
{
    private const ulong Default = Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC;

    /// <summary>Without options: nosuid, nodev, noexec.</summary>
    public static (ulong Flags, string Data) Parse(string options)
    {
        var flags = Default;
        var data = "";
        foreach (var option in options.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            switch (option)
            {
                case "ro": flags |= Linux.MS_RDONLY; break;
                case "rw": flags &= ~Linux.MS_RDONLY; break;
                case "suid": flags &= ~Linux.MS_NOSUID; break;
                case "nosuid": flags |= Linux.MS_NOSUID; break;
                case "dev": flags &= ~Linux.MS_NODEV; break;
                case "nodev": flags |= Linux.MS_NODEV; break;
                case "exec": flags &= ~Linux.MS_NOEXEC; break;
                case "noexec": flags |= Linux.MS_NOEXEC; break;
                case "sync": flags |= Linux.MS_SYNCHRONOUS; break;
                case "async": flags &= ~Linux.MS_SYNCHRONOUS; break;
                case "dirsync": flags |= Linux.MS_DIRSYNC; break;
                case "atime": flags &= ~Linux.MS_NOATIME; break;
                case "noatime": flags |= Linux.MS_NOATIME; break;
                case "diratime": flags &= ~Linux.MS_NODIRATIME; break;
                case "nodiratime": flags |= Linux.MS_NODIRATIME; break;
                case "relatime": flags |= Linux.MS_RELATIME; break;
                case "strictatime": flags |= Linux.MS_STRICTATIME; break;
                // Propagation means nothing here: no mount leaves the micro-VM.
                case "private" or "rprivate" or "shared" or "rshared" or "slave" or "rslave" or "unbindable" or "runbindable": break;
                default: data = data.Length == 0 ? option : $"{data},{option}"; break;
            }
        }
        return (flags, data);
    }
}
