using System.Formats.Tar;

namespace Candela.Bench;

/// <summary>The image that both sides run: Debian's busybox-static, which needs nothing else.</summary>
internal static class RootFileSystem
{
    private const string Busybox = "/bin/busybox";

    private static readonly string[] Applets = ["sh", "true", "sleep", "echo", "cat", "dd", "nc", "ping"];

    public static void Write(string file)
    {
        if (!File.Exists(Busybox))
            throw new FileNotFoundException($"{Busybox} is missing: install busybox-static (eng/setup run)");
        using var stream = File.Create(file);
        using var tar = new TarWriter(stream, TarEntryFormat.Pax);
        foreach (string folder in (string[])["bin", "dev", "etc", "proc", "sys", "tmp"])
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, folder + "/") { Mode = (UnixFileMode)0b111_101_101 });
        using (var busybox = File.OpenRead(Busybox))
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "bin/busybox") { Mode = (UnixFileMode)0b111_101_101, DataStream = busybox });
        foreach (string applet in Applets)
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "bin/" + applet) { LinkName = "busybox" });
    }
}
