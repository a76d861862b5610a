namespace Candela.Images.Tests;

public sealed class BuiltInImageTests : IDisposable
{
    private readonly TestStore _test = new();

    [Fact]
    public async Task Is_a_root_file_system_with_busybox_and_its_links()
    {
        Image image = await BuiltInImage.EnsureAsync(_test.Store, TestContext.Current.CancellationToken);
        Assert.Equal(["candela/base:latest"], image.Tags);
        Assert.Equal(["/bin/sh"], image.Configuration.Command);

        using BlockImageLease lease = await _test.Store.OpenBlockImageAsync(image.Id, TestContext.Current.CancellationToken);
        Assert.Equal("squashfs", lease.FileSystem);
        string[] lines = SquashfsListing.List(lease.Path);
        Assert.Contains("drwxr-xr-x 0/0 /", lines);
        Assert.Contains("-rwxr-xr-x 0/0 /bin/busybox", lines);
        Assert.Contains("lrwxrwxrwx 0/0 /bin/sh -> busybox", lines);
        Assert.Contains("drwxrwxrwt 0/0 /tmp", lines);
        Assert.Contains("drwx------ 0/0 /root", lines);
        Assert.Contains("root:x:0:0", SquashfsListing.Read(lease.Path, "etc/passwd"), StringComparison.Ordinal);
        Assert.Contains("candela base", SquashfsListing.Read(lease.Path, "etc/os-release"), StringComparison.Ordinal);
        Assert.True(_test.IsTidy);
    }

    [Fact]
    public async Task Is_made_once()
    {
        Image first = await BuiltInImage.EnsureAsync(_test.Store, TestContext.Current.CancellationToken);
        _test.Reopen();
        List<ImageEvent> events = [];
        _test.Store.Changed += events.Add;
        Image second = await BuiltInImage.EnsureAsync(_test.Store, TestContext.Current.CancellationToken);
        Assert.Equal(first.Id, second.Id);
        Assert.Empty(events);
    }

    public void Dispose() => _test.Dispose();
}
