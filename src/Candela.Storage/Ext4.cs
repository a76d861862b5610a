using System.Diagnostics;
using Candela.Model;

namespace Candela.Storage;

/// <summary>File systems of disks that containers write to, made by mkfs.ext4(8).</summary>
public static class Ext4
{
    /// <summary>Makes the file system in a file of the wanted size.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">Folder whose content the file system begins with.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="CandelaException">Unavailable without mkfs.ext4; Internal when it fails.</exception>
    public static async Task FormatAsync(string path, string content, CancellationToken cancellationToken)
    {
        // A small journal: a killed micro-VM leaves a file system that the next start replays. Inode tables are initialised lazily
        // (never, in fact: the guest mounts with noinit_itable), which keeps the template at a few hundred KiB.
        string[] arguments =
        [
            "-q", "-F", "-m", "0", "-i", "16384", "-J", "size=4", "-O", "^resize_inode",
            "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", "-d", content, path,
        ];
        var start = new ProcessStartInfo("mkfs.ext4", arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["PATH"] = "/usr/sbin:/sbin:/usr/bin:/bin";
        using Process process = Process.Start(start)
            ?? throw new CandelaException(ErrorCode.Unavailable, "mkfs.ext4 could not be started: install the package e2fsprogs");
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.StandardOutput.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new CandelaException(ErrorCode.Internal, $"mkfs.ext4 failed: {(await errors).Trim()}");
    }
}
