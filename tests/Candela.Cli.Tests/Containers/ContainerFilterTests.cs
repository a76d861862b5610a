using Candela.Cli.CommandLine;
using Candela.Cli.Containers;
using Candela.Model;

namespace Candela.Cli.Tests.Containers;

public sealed class ContainerFilterTests
{
    private static readonly Container Source = New("aa11", "web", null), Fork = New("bb22", "copy", "aa11"), Other = New("cc33", "other", "dd44");

    [Theory]
    [InlineData("web")]
    [InlineData("aa")]
    public void Forks_are_found_by_their_sources_name_or_id(string source)
    {
        var filter = ContainerFilter.Parse(["forked-from=" + source]);
        filter.ResolveNames([Source, Fork, Other]);
        Assert.Equal([Fork], new[] { Source, Fork, Other }.Where(filter.Matches));
    }

    [Fact]
    public void A_status_that_there_is_not_is_refused()
    {
        Assert.Equal("invalid filter 'status=bogus'", Assert.Throws<UsageException>(() => ContainerFilter.Parse(["status=bogus"])).Message);
        Assert.True(ContainerFilter.Parse(["status=created"]).Matches(Source));
    }

    private static Container New(string id, string name, string? forkedFrom) => new()
    {
        Id = id,
        Name = name,
        Project = "default",
        CreatedAt = DateTimeOffset.UnixEpoch,
        ImageId = "sha256:" + id,
        Spec = new ContainerSpec { Image = "x" },
        Process = new ProcessConfiguration { Arguments = ["true"] },
        Status = new ContainerStatus(),
        ForkedFrom = forkedFrom,
        Revision = 1,
    };
}
