using System.Diagnostics;
using Candela.Tests.Shared;

namespace Candela.Vmm.Tests.Nested;

/// <summary>A container's image: squashfs with a busybox shell.</summary>
internal sealed class GuestRoot : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public GuestRoot()
    {
        string root = _folder.File("root");
        foreach (string name in (ReadOnlySpan<string>)["bin", "dev", "etc", "proc", "sys", "tmp", "run"])
            Directory.CreateDirectory(System.IO.Path.Combine(root, name));
        File.Copy("/bin/busybox", System.IO.Path.Combine(root, "bin/busybox"));
        foreach (string applet in (ReadOnlySpan<string>)["sh", "cat", "echo", "md5sum", "dd"])
            File.CreateSymbolicLink(System.IO.Path.Combine(root, "bin", applet), "busybox");
        using Process make = Process.Start(new ProcessStartInfo("mksquashfs", [root, Path, "-quiet", "-no-progress"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string errors = make.StandardError.ReadToEnd();
        make.WaitForExit();
        Assert.True(make.ExitCode == 0, errors);
    }

    public string Path => _folder.File("image");

    public void Dispose() => _folder.Dispose();
}
