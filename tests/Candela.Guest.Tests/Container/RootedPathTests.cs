using Candela.Guest.Container;
using Candela.Guest.Native;
using Candela.Tests.Shared;

namespace Candela.Guest.Tests.Container;

public sealed class RootedPathTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _top;
    private readonly int _root;

    public RootedPathTests()
    {
        _top = Directory.CreateDirectory(_folder.File("top")).FullName;
        _root = Errno.Check(Libc.open(_top, Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_CLOEXEC, 0), "open");
    }

    public void Dispose()
    {
        _ = Libc.close(_root);
        _folder.Dispose();
    }

    [Fact]
    public void Makes_a_file_with_the_folders_above_it()
    {
        Make("/a/b/c", isFolder: false);
        Assert.True(File.Exists(Path.Combine(_top, "a/b/c")));
    }

    [Fact]
    public void Leaves_what_is_there_alone()
    {
        File.WriteAllText(Path.Combine(_top, "file"), "text");
        Make("/file", isFolder: false);
        Assert.Equal("text", File.ReadAllText(Path.Combine(_top, "file")));
    }

    [Fact]
    public void Makes_the_target_of_a_link_within_the_root()
    {
        Directory.CreateDirectory(Path.Combine(_top, "etc"));
        File.CreateSymbolicLink(Path.Combine(_top, "etc/resolv.conf"), "../run/systemd/resolv.conf");
        File.CreateSymbolicLink(Path.Combine(_top, "etc/hosts"), "/data/hosts");
        Make("/etc/resolv.conf", isFolder: false);
        Make("/etc/hosts", isFolder: false);
        Assert.True(File.Exists(Path.Combine(_top, "run/systemd/resolv.conf")));
        Assert.True(File.Exists(Path.Combine(_top, "data/hosts")));
    }

    [Fact]
    public void Never_leaves_the_root()
    {
        File.CreateSymbolicLink(Path.Combine(_top, "out"), "../../../..");
        Make("/out/made", isFolder: true);
        Make("/../../also", isFolder: true);
        Assert.True(Directory.Exists(Path.Combine(_top, "made")));
        Assert.True(Directory.Exists(Path.Combine(_top, "also")));
    }

    [Fact]
    public void Gives_up_on_links_in_a_circle()
    {
        File.CreateSymbolicLink(Path.Combine(_top, "one"), "two");
        File.CreateSymbolicLink(Path.Combine(_top, "two"), "one");
        Assert.Throws<AgentFailure>(() => Make("/one/x", isFolder: true));
    }

    [Fact]
    public void Refuses_a_file_where_a_folder_must_be()
    {
        File.WriteAllText(Path.Combine(_top, "file"), "");
        Assert.Contains("not a directory", Assert.Throws<AgentFailure>(() => Make("/file", isFolder: true)).Message, StringComparison.Ordinal);
    }

    private void Make(string path, bool isFolder) => _ = Libc.close(RootedPath.OpenOrMake(_root, path, isFolder));
}
