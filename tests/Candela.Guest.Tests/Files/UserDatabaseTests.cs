using Candela.Guest.Files;
using Candela.Guest.Protocol;

namespace Candela.Guest.Tests.Files;

public sealed class UserDatabaseTests : IDisposable
{
    private readonly ContainerTree _tree = new();

    public UserDatabaseTests()
    {
        _tree.File("etc/passwd", "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/usr/sbin:\n\napp:x:1000:1001:App:/home/app:/bin/sh\nnohome:x:7:7\nbroken\n");
        _tree.File("etc/group", "root:x:0:\nwheel:x:10:root,app\napp:x:1001:\naudio:x:29:app\nvideo:x:44:other\n");
    }

    public void Dispose() => _tree.Dispose();

    [Theory]
    [InlineData("", 0, 0, "0,10", "/root")]
    [InlineData("root", 0, 0, "0,10", "/root")]
    [InlineData("app", 1000, 1001, "1001,10,29", "/home/app")]
    [InlineData("1000", 1000, 1001, "1001,10,29", "/home/app")]
    [InlineData("4711", 4711, 0, "0", "/")]
    [InlineData("nohome", 7, 7, "7", "/")]
    [InlineData("app:video", 1000, 44, "44", "/home/app")]
    [InlineData("app:44", 1000, 44, "44", "/home/app")]
    [InlineData("1000:5000", 1000, 5000, "5000", "/home/app")]
    [InlineData(":video", 0, 44, "44", "/root")]
    [InlineData("app:", 1000, 1001, "1001,10,29", "/home/app")]
    [InlineData("4711:app", 4711, 1001, "1001", "/")]
    public void Resolves_users_as_Docker_does(string user, uint uid, uint gid, string groups, string home)
    {
        var resolved = UserDatabase.Resolve(_tree.Root, user, []);

        Assert.Equal((uid, gid, home), (resolved.Uid, resolved.Gid, resolved.Home));
        Assert.Equal(groups, string.Join(',', resolved.Groups));
    }

    [Fact]
    public void Adds_further_groups_by_name_and_number_once() =>
        Assert.Equal([1001, 10, 29, 44, 9999], UserDatabase.Resolve(_tree.Root, "app", ["video", "44", "9999"]).Groups);

    [Theory]
    [InlineData("nobody", "unable to find user nobody: no matching entries in passwd file")]
    [InlineData("app:nogroup", "unable to find group nogroup: no matching entries in group file")]
    [InlineData("-1", "uids and gids must be in range 0-2147483647")]
    [InlineData("4294967295", "uids and gids must be in range 0-2147483647")]
    [InlineData("1000:2147483648", "uids and gids must be in range 0-2147483647")]
    public void Refuses_who_is_unknown_in_Dockers_words(string user, string message)
    {
        AgentFailure failure = Assert.Throws<AgentFailure>(() => UserDatabase.Resolve(_tree.Root, user, []));

        Assert.Equal((AgentError.UnknownUser, message), (failure.Error, failure.Message));
    }

    [Fact]
    public void Refuses_an_unknown_further_group() =>
        Assert.Equal(
            "unable to find group nogroup: no matching entries in group file",
            Assert.Throws<AgentFailure>(() => UserDatabase.Resolve(_tree.Root, "app", ["nogroup"])).Message);

    [Fact]
    public void Numbers_do_without_files()
    {
        Directory.Delete(_tree.Path("etc"), recursive: true);

        var resolved = UserDatabase.Resolve(_tree.Root, "12:34", ["56"]);

        Assert.Equal((12u, 34u, "/"), (resolved.Uid, resolved.Gid, resolved.Home));
        Assert.Equal([34u, 56u], resolved.Groups);
        Assert.Equal((0u, 0u), (UserDatabase.Resolve(_tree.Root, "", []).Uid, UserDatabase.Resolve(_tree.Root, "", []).Gid));
    }

    [Fact]
    public void Links_resolve_inside_of_the_root()
    {
        File.Delete(_tree.Path("etc/passwd"));
        _tree.File("nix/passwd", "inside:x:5:5::/in:\n");
        _tree.Link("etc/passwd", "/nix/passwd");
        Assert.Equal(5u, UserDatabase.Resolve(_tree.Root, "inside", []).Uid);

        File.Delete(_tree.Path("etc/passwd"));
        _tree.Link("etc/passwd", "../../../../../../../../etc/passwd");
        Assert.Equal(AgentError.Failed, Assert.Throws<AgentFailure>(() => UserDatabase.Resolve(_tree.Root, "root", [])).Error);
    }

    [Fact]
    public void Neither_a_pipe_nor_a_huge_file_stops_the_agent()
    {
        _tree.Shell("rm etc/passwd; mkfifo etc/passwd");
        Assert.Contains("not a regular file", Assert.Throws<AgentFailure>(() => UserDatabase.Resolve(_tree.Root, "app", [])).Message, StringComparison.Ordinal);

        _tree.Shell("rm etc/passwd; truncate -s 1T etc/passwd");
        Assert.Equal(AgentError.LimitExceeded, Assert.Throws<AgentFailure>(() => UserDatabase.Resolve(_tree.Root, "app", [])).Error);
    }
}
