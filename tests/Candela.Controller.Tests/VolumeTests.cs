using Candela.Controller.Tests.Fake;
using Candela.Model;
using static Candela.Controller.Tests.Fake.TestCalls;

namespace Candela.Controller.Tests;

/// <summary>Volumes and the containers that mount them.</summary>
public sealed class VolumeTests : IAsyncLifetime
{
    private readonly TestHost _host = new();
    private TestDaemon _daemon = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _daemon = await _host.StartDaemonAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_named_volume_is_made_once_and_stays_while_a_container_has_it()
    {
        var first = await CreateAsync(new ContainerSpec { Image = "base", Volumes = [new() { Source = "data", Target = "/data" }] });
        var second = await CreateAsync(new ContainerSpec { Image = "base", Volumes = [new() { Source = "data", Target = "/other/", ReadOnly = true }] });

        Assert.Equal(first.Volumes[0].VolumeId, second.Volumes[0].VolumeId);
        Assert.Equal(("/other", true), (second.Volumes[0].Target, second.Volumes[0].ReadOnly));
        Assert.Equal(2, (await _daemon.Volumes.GetAsync(Alice, "data", Token)).ContainerCount);
        await FailsAsync(ErrorCode.Conflict, () => _daemon.Volumes.RemoveAsync(Alice, "data", Token));

        await _daemon.Containers.RemoveAsync(Alice, first.Id, false, withVolumes: true, Token);
        await _daemon.Containers.RemoveAsync(Alice, second.Id, false, withVolumes: true, Token);
        await _daemon.Volumes.RemoveAsync(Alice, "data", Token);
        Assert.Empty(await _daemon.Volumes.ListAsync(Alice, Token));
    }

    [Fact]
    public async Task Anonymous_volumes_go_with_their_container_when_asked()
    {
        var kept = await CreateAsync(new ContainerSpec { Image = "base", Volumes = [new() { Target = "/a" }] });
        var gone = await CreateAsync(new ContainerSpec { Image = "base", Volumes = [new() { Target = "/a" }] });
        var heir = await CreateAsync(new ContainerSpec { Image = "base", VolumesFrom = [gone.Id + ":ro"] });
        Assert.Equal(gone.Volumes[0] with { ReadOnly = true }, heir.Volumes[0]);

        await _daemon.Containers.RemoveAsync(Alice, kept.Id, false, withVolumes: false, Token);
        await _daemon.Containers.RemoveAsync(Alice, gone.Id, false, withVolumes: true, Token);
        Assert.Equal(2, (await _daemon.Volumes.ListAsync(Alice, Token)).Count);
        await _daemon.Containers.RemoveAsync(Alice, heir.Id, false, withVolumes: true, Token);

        var left = Assert.Single(await _daemon.Volumes.ListAsync(Alice, Token));
        Assert.Equal(kept.Volumes[0].Name, left.Volume.Name);
        Assert.Single(await _daemon.Volumes.PruneAsync(Alice, static volume => volume.IsAnonymous, Token));
    }

    [Fact]
    public async Task A_container_that_is_refused_leaves_no_volume()
    {
        await FailsAsync(ErrorCode.InvalidArgument, () => CreateAsync(new ContainerSpec { Image = "base", Volumes = [new() { Target = "/a" }, new() { Source = "b/c", Target = "/b" }] }));
        await FailsAsync(ErrorCode.InvalidArgument, () => CreateAsync(new ContainerSpec { Image = "base", Volumes = [new() { Target = "/a" }, new() { Target = "/x/../a" }] }));
        await FailsAsync(ErrorCode.NotFound, () => CreateAsync(new ContainerSpec { Image = "base", VolumesFrom = ["nobody"] }));
        await FailsAsync(ErrorCode.InvalidArgument, () => CreateAsync(new ContainerSpec { Image = "base", Volumes = [.. Enumerable.Range(0, Limits.VolumeCount + 1).Select(i => new VolumeMountSpec { Target = $"/{i}" })] }));
        Assert.Empty(await _daemon.Volumes.ListAsync(Alice, Token));
    }

    [Theory]
    [InlineData("1g", 1L << 30)]
    [InlineData("20971520", 20L << 20)]
    [InlineData("20M", 20L << 20)]
    public async Task A_volume_has_the_size_asked_for(string text, long bytes) =>
        Assert.Equal(bytes, (await _daemon.Volumes.CreateAsync(Alice, new VolumeSpec { Name = "sized", Options = new Dictionary<string, string> { ["size"] = text } }, Token)).SizeBytes);

    [Theory]
    [InlineData("size", "much", ErrorCode.InvalidArgument)]
    [InlineData("size", "1", ErrorCode.InvalidArgument)]
    [InlineData("size", "99999999999999t", ErrorCode.InvalidArgument)]
    [InlineData("type", "nfs", ErrorCode.NotSupported)]
    public async Task Options_that_are_none_are_refused(string name, string value, ErrorCode code) =>
        await FailsAsync(code, () => _daemon.Volumes.CreateAsync(Alice, new VolumeSpec { Name = "named", Options = new Dictionary<string, string> { [name] = value } }, Token));

    [Fact]
    public async Task Volumes_are_there_after_the_daemon_s_end()
    {
        var container = await CreateAsync(new ContainerSpec { Image = "base", Volumes = [new() { Source = "data", Target = "/data" }] });
        await _daemon.Volumes.CreateAsync(Alice, new VolumeSpec { Name = "spare" }, Token);

        _daemon = await _host.StartDaemonAsync();

        Assert.Equal(["data", "spare"], (await _daemon.Volumes.ListAsync(Alice, Token)).Select(usage => usage.Volume.Name));
        Assert.Equal(container.Volumes, (await _daemon.Containers.GetAsync(Alice, container.Id, Token)).Volumes);
        Assert.All(await _daemon.Volumes.ListAsync(Alice, Token), usage => Assert.True(usage.UsedBytes > 0));
    }

    private Task<Container> CreateAsync(ContainerSpec spec) => _daemon.Containers.CreateAsync(Alice, null, spec, Token);
}
