using System.Formats.Tar;

namespace Candela.Acceptance.Harness;

/// <summary>An image with the host's Perl, which every Debian has: for what busybox has no applet for, such as raw sockets and UDP.</summary>
internal static class PerlImage
{
    public const string Name = "test/perl";

    private const string Perl = "/usr/bin/perl";
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Imports it.</summary>
    public static async Task ImportAsync(Platform platform)
    {
        using var linked = new RunningCommand("ldd", [Perl], new Dictionary<string, string>());
        string[] libraries = [.. (await linked.FinishAsync()).Lines.SelectMany(line => line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)).Where(word => word.StartsWith('/'))];
        using var import = platform.StartDocker("import", "-", Name);
        await using (var tar = new TarWriter(import.Input, leaveOpen: true))
        {
            foreach (var file in (string[])[Perl, .. libraries])
            {
                await using var content = File.OpenRead(file);
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, file[1..]) { DataStream = content, Mode = Executable });
            }
        }

        _ = (await import.FinishAsync()).Text;
    }
}
