using System.Text;
using Candela.Images.Layers;
using static Candela.Images.Tests.TarImage;

namespace Candela.Images.Tests.Layers;

public sealed class MergeTests : IDisposable
{
    private readonly TestStore _test = new();

    [Fact]
    public async Task A_higher_layer_replaces_a_file()
    {
        string block = await BuildAsync(Tar(File("a", "low"), File("b", "stays")), Tar(File("a", "high", mode: 0b111_101_101)));
        Assert.Equal(["drwxr-xr-x 0/0 /", "-rwxr-xr-x 0/0 /a", "-rw-r--r-- 0/0 /b"], SquashfsListing.List(block));
        Assert.Equal("high", SquashfsListing.Read(block, "a"));
        Assert.Equal("stays", SquashfsListing.Read(block, "b"));
    }

    [Fact]
    public async Task A_whiteout_hides_a_file_and_a_folder_of_lower_layers()
    {
        string block = await BuildAsync(
            Tar(Folder("d"), File("d/x"), Folder("d/sub"), File("d/sub/y"), File("keep")),
            Tar(File("d/.wh.x"), File("d/.wh.sub"), File(".wh.absent")));
        Assert.Equal(["/d", "/keep"], SquashfsListing.Paths(block));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_whiteout_spares_its_own_layer(bool whiteoutLast)
    {
        (TarEntry, byte[])[] entries = [Folder("d"), File("d/new")];
        entries = whiteoutLast ? [.. entries, File(".wh.d")] : [File(".wh.d"), .. entries];
        string block = await BuildAsync(Tar(Folder("d"), File("d/old")), Tar(entries));
        Assert.Equal(["/d", "/d/new"], SquashfsListing.Paths(block));
    }

    [Fact]
    public async Task A_folder_that_a_whiteout_hides_but_its_own_layer_needs_loses_its_metadata()
    {
        string block = await BuildAsync(Tar(Folder("d", 0b111_000_000)), Tar(File("d/new"), File(".wh.d")));
        Assert.Contains("drwxr-xr-x 0/0 /d", SquashfsListing.List(block));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_opaque_whiteout_empties_a_folder_of_what_lower_layers_have(bool whiteoutLast)
    {
        (TarEntry, byte[])[] entries = [Folder("d", 0b111_000_000), File("d/new"), Folder("d/s"), File("d/s/new")];
        entries = whiteoutLast ? [.. entries, File("d/.wh..wh..opq")] : [File("d/.wh..wh..opq"), .. entries];
        string block = await BuildAsync(Tar(File("d/old"), File("d/s/old"), File("e")), Tar(entries));
        Assert.Equal(["/d", "/d/new", "/d/s", "/d/s/new", "/e"], SquashfsListing.Paths(block));
        Assert.Contains("drwx------ 0/0 /d", SquashfsListing.List(block));
    }

    [Fact]
    public async Task A_file_becomes_a_folder_and_a_folder_a_file()
    {
        string block = await BuildAsync(
            Tar(File("a"), Folder("b"), File("b/x"), Link("c", "a")),
            Tar(Folder("a"), File("a/y"), File("b", "now a file"), Folder("c")));
        Assert.Equal(["drwxr-xr-x 0/0 /", "drwxr-xr-x 0/0 /a", "-rw-r--r-- 0/0 /a/y", "-rw-r--r-- 0/0 /b", "drwxr-xr-x 0/0 /c"], SquashfsListing.List(block));
    }

    [Fact]
    public async Task A_lower_layers_link_in_a_folders_place_is_hidden_by_the_folder()
    {
        string block = await BuildAsync(Tar(Folder("real"), Link("lib", "real")), Tar(File("lib/x")));
        Assert.Equal(["/lib", "/lib/x", "/real"], SquashfsListing.Paths(block));
    }

    [Theory]
    [InlineData("real")]
    [InlineData("/real")]
    [InlineData("./real/../real")]
    [InlineData("../../../real")]
    public async Task A_link_of_the_same_layer_is_followed_within_the_image(string target)
    {
        string block = await BuildAsync(Tar(Folder("real"), Link("lib", target), File("lib/x")));
        Assert.Equal(["/lib", "/real", "/real/x"], SquashfsListing.Paths(block).Select(static path => path.Split(' ')[0]));
    }

    [Fact]
    public async Task Hard_links_share_one_file_also_across_layers()
    {
        string block = await BuildAsync(
            Tar(File("a", "content"), HardLink("b", "a")),
            Tar(HardLink("c", "/b"), File(".wh.a")));
        Assert.Equal(["/b", "/c"], SquashfsListing.Paths(block));
        Assert.Equal("content", SquashfsListing.Read(block, "b"));
        using MountedImage mounted = new(block);
        Assert.Equal("2", mounted.Stat("b", "%h"));
        Assert.Equal(mounted.Stat("b", "%i"), mounted.Stat("c", "%i"));
    }

    [Fact]
    public async Task A_hard_link_outlives_the_replacement_of_its_first_name()
    {
        string block = await BuildAsync(Tar(File("a", "old"), HardLink("b", "a"), File("a", "new")));
        Assert.Equal("old", SquashfsListing.Read(block, "b"));
        Assert.Equal("new", SquashfsListing.Read(block, "a"));
    }

    [Fact]
    public async Task Owners_modes_times_devices_and_links_are_kept()
    {
        TarEntry device = new() { Kind = TarKind.CharacterDevice, Name = "dev/null", Mode = 0b110_110_110, DeviceMajor = 1, DeviceMinor = 3 };
        TarEntry disk = new() { Kind = TarKind.BlockDevice, Name = "dev/sda", Mode = 0b110_000_000, DeviceMajor = 8, DeviceMinor = 300 };
        TarEntry fifo = new() { Kind = TarKind.Fifo, Name = "fifo", Mode = 0b110_100_100 };
        TarEntry owned = new() { Kind = TarKind.Regular, Name = "owned", Mode = 0b100_111_101_101, UserId = 3_000_000_000, GroupId = 1000, ModifiedSeconds = 1_600_000_000 };
        string block = await BuildAsync(Tar((device, []), (disk, []), (fifo, []), (owned, [1]), Link("l", "/x/" + new string('y', 200)), Link(new string('n', 150), "../" + new string('z', 150))));
        string[] lines = SquashfsListing.List(block);
        Assert.Contains("prw-r--r-- 0/0 /fifo", lines);
        Assert.Contains("-rwsr-xr-x 3000000000/1000 /owned", lines);
        using MountedImage mounted = new(block);
        Assert.Equal("../" + new string('z', 150), new FileInfo(Path.Combine(mounted.Path, new string('n', 150))).LinkTarget);
        Assert.Equal("1600000000", mounted.Stat("owned", "%Y"));
        Assert.Equal("/x/" + new string('y', 200), new FileInfo(Path.Combine(mounted.Path, "l")).LinkTarget);
        Assert.Equal("character special file 1,3", mounted.Stat("dev/null", "%F %Hr,%Lr"));
        Assert.Equal("block special file 8,300", mounted.Stat("dev/sda", "%F %Hr,%Lr"));
    }

    [Fact]
    public async Task Extended_attributes_are_kept_byte_for_byte_except_those_of_overlayfs()
    {
        byte[] capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        TarEntry entry = new()
        {
            Kind = TarKind.Regular,
            Name = "ping",
            Mode = 0b111_101_101,
            Attributes = [new("security.capability", capability), new("user.text", "a=b\nc"u8.ToArray()), new("trusted.overlay.opaque", "y"u8.ToArray())],
        };
        using MountedImage mounted = new(await BuildAsync(Tar((entry, [1]))));
        Assert.Equal(capability, mounted.Attribute("ping", "security.capability"));
        Assert.Equal("a=b\nc", Encoding.UTF8.GetString(mounted.Attribute("ping", "user.text")!));
        Assert.Null(mounted.Attribute("ping", "trusted.overlay.opaque"));
    }

    [Fact]
    public async Task The_root_folder_is_as_its_entry_says()
    {
        TarEntry root = new() { Kind = TarKind.Folder, Name = "./", Mode = 0b111_000_101, UserId = 1000, GroupId = 2000, ModifiedSeconds = 1_500_000_000 };
        TarEntry placeholder = new() { Kind = TarKind.Regular, Name = "file-of-the-sandbox-user", UserId = 64_321, GroupId = 64_322 };
        string block = await BuildAsync(Tar((root, []), (placeholder, [])));
        using MountedImage mounted = new(block);
        Assert.Equal("1000:2000 705 1500000000", mounted.Stat("", "%u:%g %a %Y"));
        Assert.Equal("64321:64322", mounted.Stat("file-of-the-sandbox-user", "%u:%g"));
    }

    [Fact]
    public async Task Names_that_are_no_utf8_are_kept()
    {
        string block = await BuildAsync(Tar(File("caf\u00E9"), File(new string('\u00FF', 255))));
        using MountedImage mounted = new(block);
        Assert.Equal("2", SquashfsListing.Run("/bin/sh", "-c", $"cd {mounted.Path} && ls -d $(printf 'caf\\351') $(printf '\\377')* | wc -l").Trim());
    }

    [Fact]
    public async Task An_image_without_any_file_is_an_empty_root()
    {
        Assert.Equal(["drwxr-xr-x 0/0 /"], SquashfsListing.List(await BuildAsync()));
        Assert.Equal(["drwxr-xr-x 0/0 /"], SquashfsListing.List(await BuildAsync(Tar())));
    }

    [Fact]
    public async Task The_same_layers_make_the_same_bytes()
    {
        byte[][] layers = [Tar(Folder("a"), File("a/b", "x")), Tar(File("c", new string('z', 300_000)))];
        byte[] first = await System.IO.File.ReadAllBytesAsync(await BuildAsync(layers), TestContext.Current.CancellationToken);
        using MergeTests other = new();
        Assert.Equal(first, await System.IO.File.ReadAllBytesAsync(await other.BuildAsync(layers), TestContext.Current.CancellationToken));
    }

    public void Dispose() => _test.Dispose();

    private async Task<string> BuildAsync(params byte[][] layers)
    {
        TarImage image = new(layers);
        _test.Source.Add("test", image);
        await _test.Store.PullAsync("test", null, null, TestContext.Current.CancellationToken);
        using BlockImageLease lease = await _test.Store.OpenBlockImageAsync(image.Id, TestContext.Current.CancellationToken);
        Assert.True(_test.IsTidy);
        return lease.Path;
    }
}
