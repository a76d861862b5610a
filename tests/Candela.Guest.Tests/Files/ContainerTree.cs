using System.Diagnostics;
using Candela.Tests.Shared;

namespace Candela.Guest.Tests.Files;

/// <summary>A folder that plays the container's root, with a secret beside it that no path may reach.</summary>
public sealed class ContainerTree : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ContainerTree()
    {
        Directory.CreateDirectory(Root);
        System.IO.File.WriteAllText(Secret, "secret");
    }

    public string Root => _folder.File("root");

    public string Secret => _folder.File("secret");

    public void Dispose()
    {
        // Not by .NET alone, which cannot delete names that are not UTF-8.
        using Process removal = Process.Start("rm", ["-rf", Root]);
        removal.WaitForExit();
        _folder.Dispose();
    }

    public string Path(string path) => Root + "/" + path;

    public void Folder(string path) => Directory.CreateDirectory(Path(path));

    public void File(string path, string content = "")
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path(path))!);
        System.IO.File.WriteAllText(Path(path), content);
    }

    public string Text(string path) => System.IO.File.ReadAllText(Path(path));

    public void Link(string path, string target) => System.IO.File.CreateSymbolicLink(Path(path), target);

    /// <summary>Runs a shell script in the root.</summary>
    public string Shell(string script)
    {
        using Process shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", script]) { WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = shell.StandardError.ReadToEndAsync();
        string output = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        Assert.True(shell.ExitCode == 0, errors.Result);
        return output;
    }
}
