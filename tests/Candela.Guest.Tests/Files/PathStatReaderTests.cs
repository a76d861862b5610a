using Candela.Guest.Files;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Tests.Files;

public sealed class PathStatReaderTests : IDisposable
{
    private readonly ContainerTree _tree = new();

    public PathStatReaderTests()
    {
        _tree.File("srv/app/file", "12345");
        _tree.Shell("chmod 4711 srv/app/file; touch -d @1700000000 srv/app/file; chmod 755 srv srv/app");
    }

    public void Dispose() => _tree.Dispose();

    [Theory]
    [InlineData("/srv/app/file", "file", 0x89C9u)]
    [InlineData("srv/app/../app//file", "file", 0x89C9u)]
    [InlineData("/../../srv/app/file", "file", 0x89C9u)]
    [InlineData("/srv/app", "app", 0x41EDu)]
    [InlineData("/srv/app/", "app", 0x41EDu)]
    [InlineData("/srv/app/.", ".", 0x41EDu)]
    [InlineData("/", "/", 0x41EDu)]
    [InlineData("", "/", 0x41EDu)]
    [InlineData("/.", "/", 0x41EDu)]
    public void Tells_name_and_mode(string path, string name, uint mode)
    {
        ArchiveStat stat = Read(path);

        Assert.Equal((name, mode, ""), (stat.Name, stat.Mode, stat.LinkTarget));
    }

    [Fact]
    public void Tells_size_and_time()
    {
        ArchiveStat stat = Read("/srv/app/file");

        Assert.Equal((5L, 1_700_000_000L), (stat.Size, stat.ModifiedAt));
    }

    [Fact]
    public void Tells_where_a_link_leads_after_all_links()
    {
        _tree.Link("a", "b");
        _tree.Link("b", "/srv/app");
        _tree.Link("deep", "a/file");

        Assert.Equal(("a", "/srv/app", 0xA000u), (Read("/a").Name, Read("/a").LinkTarget, Read("/a").Mode & 0xF000));
        Assert.Equal("/srv/app/file", Read("/deep").LinkTarget);
        Assert.Equal(("a", "", 0x4000u), (Read("/a/").Name, Read("/a/").LinkTarget, Read("/a/").Mode & 0xF000));
        Assert.Equal("file", Read("/a/file").Name);
    }

    [Fact]
    public void Tells_the_text_of_a_dangling_link()
    {
        _tree.Link("srv/absolute", "/nowhere/x");
        _tree.Link("srv/relative", "../gone");

        Assert.Equal("/nowhere/x", Read("/srv/absolute").LinkTarget);
        Assert.Equal("/gone", Read("/srv/relative").LinkTarget);
    }

    [Fact]
    public void Links_do_not_lead_out_of_the_root()
    {
        _tree.Link("out", "../secret");
        _tree.Link("absolute", _tree.Secret);
        _tree.Link("parent", "..");

        Assert.Equal("/secret", Read("/out").LinkTarget);
        Assert.Equal(_tree.Secret, Read("/absolute").LinkTarget);
        Assert.Equal(AgentError.NoSuchPath, Assert.Throws<AgentFailure>(() => Read("/parent/secret")).Error);
        Assert.Equal("parent", Read("/parent/").Name);
    }

    [Theory]
    [InlineData("/missing")]
    [InlineData("/srv/app/file/")]
    [InlineData("/srv/app/file/below")]
    public void What_is_not_there_is_told(string path) => Assert.Equal(AgentError.NoSuchPath, Assert.Throws<AgentFailure>(() => Read(path)).Error);

    [Fact]
    public void Refuses_impossible_paths()
    {
        Assert.Equal(AgentError.InvalidArgument, Assert.Throws<AgentFailure>(() => Read(new string('x', 5000))).Error);
        Assert.Equal(AgentError.InvalidArgument, Assert.Throws<AgentFailure>(() => Read("a\0b")).Error);
    }

    private ArchiveStat Read(string path) => PathStatReader.Read(_tree.Root, path);
}
