using Candela.Images.Storage;
using Candela.Model;
using static Candela.Images.Tests.TarImage;

namespace Candela.Images.Tests;

public sealed class StoreTests : IDisposable
{
    private readonly TestStore _test = new();
    private readonly TarImage _image = new(Tar(File("a")));

    [Fact]
    public async Task Finds_by_name_id_and_unambiguous_prefix()
    {
        await PullAsync("repo/name:1");
        foreach (string text in (string[])["repo/name:1", "docker.io/repo/name:1", _image.Id, Digests.Hex(_image.Id), Digests.Short(_image.Id), _image.Id[..10]])
            Assert.Equal(_image.Id, (await _test.Store.GetAsync(text, Token)).Id);
        foreach (string text in (string[])["repo/name", "name:1", "sha256:", "sha256:zz", new string('f', 64), "repo/name@sha256:" + new string('0', 64)])
            Assert.Equal(ErrorCode.ImageNotFound, (await Assert.ThrowsAsync<CandelaException>(() => _test.Store.GetAsync(text, Token))).Code);
        Assert.Equal(ErrorCode.InvalidArgument, (await Assert.ThrowsAsync<CandelaException>(() => _test.Store.GetAsync("A b", Token))).Code);
    }

    [Fact]
    public async Task A_name_goes_before_a_prefix_of_an_id()
    {
        await PullAsync("a");
        Image other = await ImportAsync(Tar(File("other")), Digests.Short(_image.Id));
        Assert.Equal(other.Id, (await _test.Store.GetAsync(Digests.Short(_image.Id), Token)).Id);
    }

    [Fact]
    public async Task A_tag_moves_to_the_image_it_is_given_to()
    {
        await PullAsync("a");
        Image other = await ImportAsync(Tar(File("other")), "b");
        List<ImageEvent> events = [];
        _test.Store.Changed += events.Add;
        await _test.Store.TagAsync("a", "b", Token);
        Assert.Equal(["a:latest", "b:latest"], (await _test.Store.GetAsync(_image.Id, Token)).Tags);
        Assert.Empty((await _test.Store.GetAsync(other.Id, Token)).Tags);
        Assert.Equal([new ImageEvent("tag", _image.Id, "b:latest")], events);
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => _test.Store.TagAsync("a", "b@" + _image.Id, Token));
        Assert.Equal("refusing to create a tag with a digest reference", e.Message);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("gzip")]
    [InlineData("zstd")]
    public async Task Imports_a_root_file_system(string compression)
    {
        byte[] tar = Tar(Folder("etc"), File("etc/hostname", "imported"), File("zeros", new byte[200_000]));
        byte[] content = compression switch
        {
            "gzip" => Gzip(tar),
            "zstd" => Zstd(tar),
            _ => tar,
        };
        ImageConfiguration configuration = new()
        {
            Command = ["/bin/x"],
            Entrypoint = ["/e"],
            Environment = ["A=1"],
            ExposedPorts = ["80/tcp"],
            Volumes = ["/data"],
            Labels = new Dictionary<string, string> { ["k"] = "v" },
            StopSignal = "SIGINT",
            User = "7",
            WorkingDirectory = "/w",
        };
        Image image = await _test.Store.ImportAsync(new RequestBody(content), "imported:1", configuration, Token);
        _test.Reopen();
        image = await _test.Store.GetAsync(image.Id, Token);
        Assert.Equal(["imported:1"], image.Tags);
        Assert.Equal("Imported from -", image.Comment);
        Assert.Equal([Digests.Of(tar)], image.DiffIds);
        Assert.Equal(tar.Length, image.SizeBytes);
        Assert.Equivalent(configuration, image.Configuration, strict: true);
        using BlockImageLease lease = await _test.Store.OpenBlockImageAsync(image.Id, Token);
        Assert.Equal("imported", SquashfsListing.Read(lease.Path, "etc/hostname"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Refuses_a_damaged_root_file_system(bool zstd)
    {
        byte[] content = zstd ? Zstd(Tar(File("a", new byte[100_000]))) : Gzip(Tar(File("a", new byte[100_000])));
        byte[] damaged = content[..(content.Length / 2)];
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => ImportAsync(damaged, null));
        Assert.Equal(ErrorCode.ImageInvalid, e.Code);
        Assert.Empty(_test.Files("blobs/sha256"));
        Assert.True(_test.IsTidy);
    }

    [Fact]
    public async Task Garbage_is_what_no_image_and_no_lease_refers_to()
    {
        await PullAsync("a");
        BlockImageLease lease = await _test.Store.OpenBlockImageAsync(_image.Id, Token);
        await _test.Store.RemoveAsync("a", true, static _ => false, Token);
        string stray = Path.Combine(_test.Folder, "blobs/sha256", new string('0', 64));
        string partial = Path.Combine(_test.Folder, "partial", new string('1', 64));
        await System.IO.File.WriteAllTextAsync(stray, "12345", Token);
        await System.IO.File.WriteAllTextAsync(partial, "123", Token);

        await PullAsync("kept");
        Assert.Equal(8, await _test.Store.CollectGarbageAsync(Token));
        Assert.Equal(2, _test.Files("blobs/sha256").Count());
        Assert.True(System.IO.File.Exists(lease.Path));
        lease.Dispose();
        lease.Dispose();
        Assert.Equal(0, await _test.Store.CollectGarbageAsync(Token));
        Assert.True(System.IO.File.Exists(lease.Path));
    }

    [Fact]
    public async Task A_leased_block_image_outlives_its_image()
    {
        TarImage other = new(Tar(File("b")));
        await PullAsync("a");
        using (BlockImageLease lease = await _test.Store.OpenBlockImageAsync(_image.Id, Token))
        {
            await _test.Store.RemoveAsync("a", true, static _ => false, Token);
            await _test.Store.CollectGarbageAsync(Token);
            Assert.Equal(["/a"], SquashfsListing.Paths(lease.Path));
        }

        foreach (Image left in await _test.Store.ListAsync(Token))
            await _test.Store.RemoveAsync(left.Id, true, static _ => false, Token);
        await _test.Store.CollectGarbageAsync(Token);
        Assert.Empty(_test.Files("block"));
        Assert.Empty(_test.Files("blobs/sha256"));
    }

    [Fact]
    public async Task A_lost_block_image_is_made_again_by_whoever_comes_first()
    {
        await PullAsync("a");
        System.IO.File.Delete(Path.Combine(_test.Folder, "block", Assert.Single(_test.Files("block"))));
        BlockImageLease[] leases = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _test.Store.OpenBlockImageAsync(_image.Id, Token)));
        Assert.Single(leases.Select(static lease => lease.Path).Distinct());
        Assert.Equal(["/a"], SquashfsListing.Paths(leases[0].Path));
        Array.ForEach(leases, static lease => lease.Dispose());
    }

    [Fact]
    public async Task A_damaged_layer_is_found_out_when_the_block_image_is_made_again()
    {
        await PullAsync("a");
        System.IO.File.Delete(Path.Combine(_test.Folder, "block", Assert.Single(_test.Files("block"))));
        await System.IO.File.WriteAllBytesAsync(Path.Combine(_test.Folder, "blobs/sha256", Digests.Hex(Digests.Of(_image.Layers[0]))), Tar(File("x")), Token);
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => _test.Store.OpenBlockImageAsync(_image.Id, Token));
        Assert.Equal(ErrorCode.ImageInvalid, e.Code);
        Assert.Empty(_test.Files("block"));
    }

    [Fact]
    public async Task A_restart_finds_images_and_forgets_half_made_files()
    {
        await PullAsync("a");
        _test.Reopen(() =>
        {
            System.IO.File.WriteAllText(Path.Combine(_test.Folder, "tmp", "half"), "x");
            Directory.CreateDirectory(Path.Combine(_test.Folder, "tmp", "scratch", "deep"));
        });
        Assert.True(_test.IsTidy);
        Assert.Equal(_image.Id, (await _test.Store.GetAsync("a", Token)).Id);
        Assert.Single((await _test.Store.GetAsync("a", Token)).Digests);
    }

    [Fact]
    public async Task An_image_whose_configuration_is_damaged_is_left_out()
    {
        await PullAsync("a");
        _test.Reopen(() => System.IO.File.WriteAllText(Path.Combine(_test.Folder, "blobs/sha256", Digests.Hex(_image.Id)), "{}"));
        Assert.Empty(await _test.Store.ListAsync(Token));
        await PullAsync("a");
        _test.Reopen();
        Assert.Single(await _test.Store.ListAsync(Token));
    }

    [Theory]
    [InlineData("{", "is damaged")]
    [InlineData("""{"version":2}""", "has version 2")]
    public void A_damaged_index_is_not_overwritten(string content, string message)
    {
        CandelaException e = Assert.Throws<CandelaException>(() => _test.Reopen(() => System.IO.File.WriteAllText(Path.Combine(_test.Folder, "index.json"), content)));
        Assert.Equal(ErrorCode.Internal, e.Code);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Equal(content, System.IO.File.ReadAllText(Path.Combine(_test.Folder, "index.json")));
    }

    [Fact]
    public void One_process_at_a_time_has_the_folder()
    {
        CandelaException e = Assert.Throws<CandelaException>(() => new ImageStore(
            new ImageStoreOptions { Folder = _test.Folder }, _test.Source, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));
        Assert.Equal(ErrorCode.Conflict, e.Code);
        Assert.Contains("another process uses the image store", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_leaves_nothing()
    {
        using TinyDisk disk = new();
        using ImageStore store = new(new ImageStoreOptions { Folder = disk.Path }, _test.Source, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        byte[] noise = new byte[3 << 20];
        new Random(1).NextBytes(noise);
        foreach (byte[] content in (byte[][])[Tar(File("fits-as-a-blob-but-not-twice", noise)), Tar(File("does-not-fit", [.. noise, .. noise]))])
        {
            CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => store.ImportAsync(new RequestBody(content), null, new ImageConfiguration(), Token));
            Assert.Equal(ErrorCode.ResourceExhausted, e.Code);
            Assert.Empty(await store.ListAsync(Token));
            foreach (string folder in (string[])["tmp", "block", "blobs/sha256"])
                Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(disk.Path, folder)));
        }
    }

    public void Dispose() => _test.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static byte[] Zstd(byte[] content)
    {
        using Candela.Tests.Shared.TemporaryFolder folder = new();
        System.IO.File.WriteAllBytes(folder.File("x"), content);
        SquashfsListing.Run("zstd", "-q", folder.File("x"));
        return System.IO.File.ReadAllBytes(folder.File("x.zst"));
    }

    private Task<Image> ImportAsync(byte[] tar, string? name) => _test.Store.ImportAsync(new MemoryStream(tar), name, new ImageConfiguration(), Token);

    private Task<Image> PullAsync(string reference)
    {
        _test.Source.Add(reference, _image);
        return _test.Store.PullAsync(reference, null, null, Token);
    }
}
