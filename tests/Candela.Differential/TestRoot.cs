using System.Diagnostics;

namespace Candela.Differential;

/// <summary>The root file system that both engines run: a static busybox.</summary>
internal static class TestRoot
{
    /// <summary>Makes it as a tar.</summary>
    /// <returns>Path of the tar.</returns>
    public static string Make(string folder)
    {
        string tar = Path.Combine(folder, "root.tar");
        const string script =
            """
            set -e
            mkdir -p "$1/bin" "$1/etc" "$1/tmp" "$1/root" "$1/srv/data" "$1/proc" "$1/sys" "$1/dev"
            cp /bin/busybox "$1/bin/busybox"
            for name in $("$1/bin/busybox" --list); do [ $name = busybox ] || ln -s busybox "$1/bin/$name"; done
            printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' > "$1/etc/passwd"
            printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' > "$1/etc/group"
            touch "$1/etc/hosts" "$1/etc/hostname" "$1/etc/resolv.conf"
            echo content > "$1/srv/data/file"; chown 1000:1000 "$1/srv/data"; chmod 1777 "$1/tmp"
            find "$1" -exec touch -h -d @1600000000 {} +
            tar -C "$1" --sort=name -cf "$2" .
            """;
        using var process = Process.Start("/bin/sh", ["-c", script, "sh", Path.Combine(folder, "root"), tar]);
        process.WaitForExit();
        return process.ExitCode == 0 ? tar : throw new InvalidOperationException("the test's root file system could not be made: is busybox-static installed?");
    }
}
