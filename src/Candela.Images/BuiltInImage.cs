using System.Diagnostics;
using System.Text;
using Candela.Images.Layers;
using Candela.Images.Naming;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images;

/// <summary>The image that needs no registry: busybox and what a shell needs around it, made of the host's static busybox.</summary>
public static class BuiltInImage
{
    /// <summary>Its name.</summary>
    public const string Reference = "candela/base:latest";

    /// <summary>Package busybox-static's program.</summary>
    private const string Busybox = "/bin/busybox";

    /// <summary>To be raised when <see cref="Write"/> changes.</summary>
    private const int Recipe = 2;

    private const string SourceLabel = "io.candela.base.source";
    private const int SharedMode = 0b001_111_111_111; // 01777
    private const int FolderMode = 0b111_101_101;
    private const int PrivateMode = 0b111_000_000;
    private const int ProgramMode = 0b111_101_101;
    private const int FileMode = 0b110_100_100;

    private static readonly string[] _folders = ["bin", "dev", "etc", "home", "lib", "lib64", "mnt", "opt", "proc", "run", "sbin", "srv", "sys", "usr", "usr/bin", "usr/lib", "usr/sbin", "usr/share", "var", "var/log", "var/lib"];

    private static readonly (string Path, string Content)[] _files =
    [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"),
        ("etc/group", "root:x:0:\ntty:x:5:\nusers:x:100:\nnogroup:x:65534:\n"),
        ("etc/shadow", "root:*:::::::\nnobody:*:::::::\n"),
        ("etc/machine-id", ""),
        ("etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n"),
        ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
        ("etc/profile", "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"),
        ("etc/os-release", "NAME=\"candela base\"\nID=candela-base\nPRETTY_NAME=\"candela base (busybox)\"\nVERSION_ID=1\n"),
    ];

    /// <summary>Makes the image, unless it is there and was made of this very busybox.</summary>
    /// <param name="store">The store.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CandelaException">Unavailable when busybox is not installed.</exception>
    public static async Task<Image> EnsureAsync(ImageStore store, CancellationToken cancellationToken)
    {
        byte[] busybox = await ReadBusyboxAsync(cancellationToken).ConfigureAwait(false);
        string source = $"{Recipe} {Digests.Of(busybox)}";
        try
        {
            Image there = await store.GetAsync(Reference, cancellationToken).ConfigureAwait(false);
            if (there.Configuration.Labels.GetValueOrDefault(SourceLabel) == source)
                return there;
        }
        catch (CandelaException e) when (e.Code == ErrorCode.ImageNotFound)
        {
            // Made below.
        }

        string[] applets = await ListAppletsAsync(cancellationToken).ConfigureAwait(false);
        using MemoryStream tar = new();
        Write(new TarWriter(tar), busybox, applets);
        tar.Position = 0;
        ImageConfiguration configuration = new()
        {
            Environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            Command = ["/bin/sh"],
            Labels = new Dictionary<string, string> { [SourceLabel] = source },
        };
        DateTimeOffset created = File.GetLastWriteTimeUtc(Busybox);
        string id = await store.ImportAsync(tar, ImageReference.Parse(Reference), configuration, "candela base", created, cancellationToken).ConfigureAwait(false);
        return await store.GetAsync(id, cancellationToken).ConfigureAwait(false);
    }

    private static void Write(TarWriter tar, byte[] busybox, string[] applets)
    {
        AddFolder("./", FolderMode);
        foreach (string folder in _folders)
            AddFolder(folder, FolderMode);
        AddFolder("root", PrivateMode);
        AddFolder("tmp", SharedMode);
        AddFolder("var/tmp", SharedMode);
        AddFile("bin/busybox", busybox, ProgramMode);
        foreach (string applet in applets)
        {
            string target = applet.StartsWith("bin/", StringComparison.Ordinal) ? "busybox" : "/bin/busybox";
            tar.Add(new TarEntry { Kind = TarKind.SymbolicLink, Name = applet, LinkName = target, Mode = 0b111_111_111 });
        }

        foreach ((string path, string content) in _files)
            AddFile(path, Encoding.UTF8.GetBytes(content), path == "etc/shadow" ? 0b110_000_000 : FileMode);
        tar.End();

        void AddFolder(string path, int mode) => tar.Add(new TarEntry { Kind = TarKind.Folder, Name = path, Mode = mode });

        void AddFile(string path, byte[] content, int mode)
        {
            tar.Add(new TarEntry { Kind = TarKind.Regular, Name = path, Mode = mode, Size = content.Length });
            tar.Write(content);
            tar.EndContent();
        }
    }

    private static async Task<byte[]> ReadBusyboxAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllBytesAsync(Busybox, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new CandelaException(ErrorCode.Unavailable, $"the image {Reference} is made of {Busybox}, which cannot be read: install the package busybox-static", e);
        }
    }

    /// <summary>Paths of the applets, for example <c>bin/ls</c>.</summary>
    private static async Task<string[]> ListAppletsAsync(CancellationToken cancellationToken)
    {
        using Process process = Process.Start(new ProcessStartInfo(Busybox, ["--list-full"]) { RedirectStandardOutput = true })
            ?? throw new CandelaException(ErrorCode.Unavailable, $"cannot start {Busybox}");
        string output = await process.StandardOutput.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        string[] applets = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(static path => !path.EndsWith("/busybox", StringComparison.Ordinal))];
        return applets.Contains("bin/sh")
            ? applets
            : throw new CandelaException(ErrorCode.Unavailable, $"{Busybox} has no shell: install the package busybox-static");
    }
}
