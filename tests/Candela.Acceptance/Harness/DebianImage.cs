using System.Text;

namespace Candela.Acceptance.Harness;

/// <summary>A root file system of programs of this host, as Debian has packaged them, with the libraries that they need.</summary>
internal static class DebianImage
{
    /// <summary>Makes the tar of one.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="programs">Programs, absolute.</param>
    /// <param name="files">Files that it has besides, by path.</param>
    /// <returns>Path of the tar.</returns>
    public static async Task<string> MakeAsync(TemporaryFolder folder, string[] programs, IReadOnlyDictionary<string, string> files)
    {
        var root = folder.File("debian");
        var copied = new HashSet<string>();
        foreach (var program in programs)
        {
            Copy(root, program, copied);
            using var ldd = new RunningCommand("ldd", [program], new Dictionary<string, string>());
            foreach (var library in (await ldd.FinishAsync()).Output.Split(['\n', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Where(word => word.StartsWith("/lib", StringComparison.Ordinal) || word.StartsWith("/usr/lib", StringComparison.Ordinal)))
                Copy(root, library, copied);
        }

        foreach (var (path, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(root + path)!);
            await File.WriteAllTextAsync(root + path, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        }

        foreach (var empty in new[] { "/tmp", "/run", "/var/log/nginx", "/var/lib/nginx" })
            Directory.CreateDirectory(root + empty);
        var tar = folder.File("debian.tar");
        using var packing = new RunningCommand("tar", ["-C", root, "-cf", tar, "."], new Dictionary<string, string>());
        _ = (await packing.FinishAsync()).Text;
        return tar;
    }

    private static void Copy(string root, string path, HashSet<string> copied)
    {
        if (!copied.Add(path))
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(root + path)!);
        File.Copy(new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path, root + path);
    }
}
