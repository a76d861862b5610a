using System.Text;
using Candela.Model;
using Candela.Os.Kernel;
using Candela.Os.Tests.Initramfs;
using Candela.Os.Tests.Kernel;
using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Os.Tests;

public sealed class GuestBuilderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeKernelSource _source = new();

    public GuestBuilderTests() => File.WriteAllText(_folder.File("agent"), "agent 1");

    public void Dispose() => _folder.Dispose();

    private string Cache => _folder.File("cache");

    [Fact]
    public async Task Makes_an_initramfs_with_agent_devices_and_modules_in_load_order()
    {
        GuestImage image = await BuildAsync();

        Assert.Equal("6.1.0-1-cloud-amd64", image.KernelRelease);
        Assert.Equal("kernel 6.1.1-1", File.ReadAllText(image.KernelPath));
        List<CpioEntry> entries = CpioEntry.ReadAll(File.ReadAllBytes(image.InitramfsPath));
        Assert.Equal("agent 1", Text(entries, "init"));
        Assert.Equal((0x2180u, 5u, 1u), entries.Where(entry => entry.Path == "dev/console").Select(entry => (entry.Mode, entry.Major, entry.Minor)).Single());
        string[] list = Text(entries, "modules.list").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            ["crc32c_intel", "virtio_ring", "virtio", "virtio_mmio", "virtio_blk", "failover", "net_failover", "virtio_net", "virtio_console", "virtio_rng",
                "squashfs", "libcrc32c", "erofs", "overlay"],
            list.Select(Path.GetFileNameWithoutExtension));
        Assert.All(list, path => Assert.Contains(entries, entry => "/" + entry.Path == path));
        Assert.Superset(new HashSet<string> { "proc", "sys", "dev", "run" }, entries.Select(entry => entry.Path).ToHashSet());
    }

    [Fact]
    public async Task Takes_the_guest_from_the_cache_the_second_time()
    {
        GuestImage first = await BuildAsync();
        DateTime made = File.GetLastWriteTimeUtc(first.InitramfsPath);

        Assert.Equal(first, await BuildAsync());
        Assert.Equal(made, File.GetLastWriteTimeUtc(first.InitramfsPath));
        Assert.Equal(1, _source.FetchCount);
    }

    [Fact]
    public async Task Another_agent_is_another_version_on_the_same_kernel()
    {
        GuestImage first = await BuildAsync();
        File.WriteAllText(_folder.File("agent"), "agent 2");

        GuestImage second = await BuildAsync();

        Assert.NotEqual(first.Version, second.Version);
        Assert.Equal(1, _source.FetchCount);
        Assert.True(File.Exists(first.InitramfsPath));
    }

    [Fact]
    public async Task Another_kernel_is_another_version()
    {
        GuestImage first = await BuildAsync();
        _source.Newest = new KernelPackage("linux-image-6.1.0-2-cloud-amd64", "6.1.2-1");

        GuestImage second = await BuildAsync();

        Assert.NotEqual(first.Version, second.Version);
        Assert.Equal("kernel 6.1.1-1", File.ReadAllText(first.KernelPath));
        Assert.Equal("kernel 6.1.2-1", File.ReadAllText(second.KernelPath));
    }

    [Fact]
    public async Task Goes_on_with_the_cached_kernel_when_apt_cannot_be_reached()
    {
        GuestImage first = await BuildAsync();
        _source.Newest = new KernelPackage("linux-image-6.1.0-2-cloud-amd64", "6.1.2-1");
        _source.Reachable = false;

        Assert.Equal(first, await BuildAsync());
    }

    [Fact]
    public async Task Says_what_to_do_when_there_is_no_kernel_at_all()
    {
        _source.Reachable = false;

        CandelaException e = await Assert.ThrowsAsync<CandelaException>(BuildAsync);

        Assert.Equal(ErrorCode.Unavailable, e.Code);
        Assert.Contains("no route to host", e.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get update", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(Path.Combine(Cache, "kernels")));
    }

    [Fact]
    public async Task Fetches_missing_package_lists_once()
    {
        _source.KnownAfterRefresh = true;

        await BuildAsync();

        Assert.Equal(1, _source.RefreshCount);
    }

    [Fact]
    public async Task A_damaged_kernel_is_fetched_again()
    {
        GuestImage first = await BuildAsync();
        File.WriteAllText(first.KernelPath, "kernel X.1.1-1");

        GuestImage second = await BuildAsync();

        Assert.Equal(2, _source.FetchCount);
        Assert.Equal("kernel 6.1.1-1", File.ReadAllText(second.KernelPath));
    }

    [Fact]
    public async Task A_damaged_kernel_is_not_used_when_apt_cannot_be_reached()
    {
        GuestImage first = await BuildAsync();
        File.WriteAllText(first.KernelPath, "kernel X.1.1-1");
        _source.Reachable = false;

        await Assert.ThrowsAsync<CandelaException>(BuildAsync);
    }

    [Fact]
    public async Task A_damaged_initramfs_is_made_again()
    {
        GuestImage first = await BuildAsync();
        byte[] whole = File.ReadAllBytes(first.InitramfsPath);
        File.WriteAllBytes(first.InitramfsPath, whole[..^512]);

        GuestImage second = await BuildAsync();

        Assert.Equal(whole, File.ReadAllBytes(second.InitramfsPath));
        Assert.Equal(1, _source.FetchCount);
    }

    [Fact]
    public async Task What_a_crash_left_half_made_is_ignored_and_deleted()
    {
        foreach (string left in (string[])["kernels/.new", "kernels/.unpacked/boot", "guests/.new", "kernels/linux-image-6.1.0-1-cloud-amd64_6.1.1-1"])
        {
            Directory.CreateDirectory(Path.Combine(Cache, left));
            File.WriteAllText(Path.Combine(Cache, left, "vmlinuz-half"), "half");
        }

        GuestImage image = await BuildAsync();

        Assert.Equal("kernel 6.1.1-1", File.ReadAllText(image.KernelPath));
        Assert.Single(Directory.GetDirectories(Path.Combine(Cache, "kernels")));
        Assert.Single(Directory.GetDirectories(Path.Combine(Cache, "guests")));
    }

    [Fact]
    public async Task Keeps_the_three_guests_that_were_used_last()
    {
        List<GuestImage> images = [];
        for (int i = 0; i < 5; i++)
        {
            File.WriteAllText(_folder.File("agent"), $"agent {i}");
            images.Add(await BuildAsync());
        }

        Assert.Equal(
            images.TakeLast(3).Select(image => image.Version).Order(),
            new DirectoryInfo(Path.Combine(Cache, "guests")).GetDirectories().Select(folder => folder.Name).Order());
    }

    [Fact]
    public async Task Builders_at_the_same_time_make_one_guest()
    {
        GuestImage[] images = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(BuildAsync)));

        Assert.Single(images.Distinct());
        Assert.Equal(1, _source.FetchCount);
    }

    [Fact]
    public async Task A_missing_agent_is_named()
    {
        File.Delete(_folder.File("agent"));

        CandelaException e = await Assert.ThrowsAsync<CandelaException>(BuildAsync);
        Assert.Equal(ErrorCode.NotFound, e.Code);
        Assert.Contains(_folder.File("agent"), e.Message, StringComparison.Ordinal);
    }

    private Task<GuestImage> BuildAsync() =>
        new GuestBuilder(new GuestBuilderOptions { CacheFolder = Cache, AgentPath = _folder.File("agent") }, _source, NullLogger<GuestBuilder>.Instance)
            .BuildAsync(null, TestContext.Current.CancellationToken);

    private static string Text(List<CpioEntry> entries, string path) => Encoding.UTF8.GetString(entries.Single(entry => entry.Path == path).Content);
}
