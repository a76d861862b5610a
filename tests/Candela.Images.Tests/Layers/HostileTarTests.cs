using System.Text;
using Candela.Images.Layers;
using Candela.Model;
using static Candela.Images.Tests.TarImage;

namespace Candela.Images.Tests.Layers;

public sealed class HostileTarTests : IDisposable
{
    private static readonly ImageLimits _limits = new()
    {
        Entries = 100,
        UncompressedBytes = 1 << 20,
        MetadataBytes = 64 << 10,
        ExtensionBytes = 32 << 10,
        ExtendedAttributeBytes = 16 << 10,
        Layers = 3,
    };

    private readonly TestStore _test = new(_limits);

    public static TheoryData<string, byte[][]> Refused()
    {
        TheoryData<string, byte[][]> cases = [];
        void Add(string reason, params byte[][] layers) => cases.Add(reason, layers);

        Add("leads out of the image", Tar(File("../etc/passwd")));
        Add("leads out of the image", Tar(File("a/../../etc/passwd")));
        Add("leads out of the image", Tar(File("/..")));
        Add("leads out of the image", Tar(File("a"), HardLink("b", "../a")));
        Add("is not there", Tar(HardLink("b", "/etc/passwd")));
        Add("is not there", Tar(HardLink("b", "b")));
        Add("is not there", Tar(File("a"), Link("l", "l"), HardLink("b", "l/a")));
        Add("to a folder", Tar(Folder("d"), HardLink("b", "d")));
        Add("not a folder", Tar(File("a"), File("a/b")));
        Add("not a folder", Tar(Link("a", "b"), Link("b", "a"), File("a/c")));
        Add("has no target", Tar(Link("a", "")));
        Add("names nothing", Tar(File(".wh.")));
        Add("names nothing", Tar(File(".wh...")));
        Add("more than 100 entries", Tar([.. Enumerable.Range(0, 101).Select(static i => File($"{i}"))]));
        Add("more than 100 entries", [.. Enumerable.Range(0, 3).Select(static layer => Tar([.. Enumerable.Range(0, 40).Select(i => File($"{layer}-{i}"))]))]);
        Add("at most 3 are accepted", Tar(), Tar(File("a")), Tar(File("b")), Tar(File("c")));
        Add("at most 255", Tar(File(new string('a', 256))));
        Add("at most 4096", Tar(File(string.Join('/', Enumerable.Repeat(new string('a', 99), 41)))));
        Add("more than 4096", Tar(Link("l", Deep(30)), File(Deep(30) + "/x"), File("l/" + Deep(30) + "/x")));
        Add("at most 4096", Tar(Link("a", new string('a', 4097))));
        Add("extended attributes of more than", Tar((WithAttribute(17 << 10), [])));
        Add("bytes of names and attributes", Tar([.. Enumerable.Range(0, 5).Select(static i => (WithAttribute(15 << 10) with { Name = $"{i}" }, Array.Empty<byte>()))]));
        Add("uncompressed", Tar(File("a", new byte[1 << 20])));
        Add("uncompressed", Tar(File("a", new byte[600 << 10])), Tar(File("b", new byte[600 << 10])));

        Add("bad checksum", Patch(100, "0000777\0"u8, fixChecksum: false));
        Add("malformed number", Patch(124, "99999999999\0"u8));
        Add("states a size of", Patch(124, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]));
        Add("states a size of", Patch(124, [0x80, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]));
        Add("out of range", Patch(124, [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
        Add("truncated", Patch(124, "00000040000\0"u8));
        Add("truncated", Tar(File("a", "content"))[..600]);
        Add("truncated", Tar(File("a", "content"))[..100]);
        Add("owner -1", Patch(108, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]));
        Add("unknown type 'Z'", Patch(156, "Z"u8));
        Add("sparse", Patch(156, "S"u8));
        Add("device number", [.. Tar((new TarEntry { Kind = TarKind.BlockDevice, Name = "d", DeviceMajor = 5000 }, []))]);
        Add("no entry after it", Extension('x', "12 path=abc\n"u8));
        Add("extension header of", Extension('L', new byte[33 << 10]));
        foreach (string pax in (string[])["x", "5", "12", "999999999999 path=a\n", "12 path=abcd\n", "-12 path=abc\n", "12 pathxabc\n", "12 =pathabc\n", "4 =\n", "13 size=1x23\n", "12 path=a\0c\n"])
            Add("malformed pax header", [.. Extension('x', Encoding.Latin1.GetBytes(pax))[..^1024], .. Tar(File("a"))]);
        Add("states a size of", [.. Extension('x', "11 size=-1\n"u8)[..^1024], .. Tar(File("a"))]);
        Add("sparse", [.. Extension('x', "22 GNU.sparse.major=1\n"u8)[..^1024], .. Tar(File("a"))]);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public async Task Is_refused_and_leaves_nothing(string reason, byte[][] layers)
    {
        TarImage image = new(layers) { Blobs = [.. layers.Select(Gzip)] };
        _test.Source.Add("hostile", image);
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => _test.Store.PullAsync("hostile", null, null, TestContext.Current.CancellationToken));
        Assert.Equal(ErrorCode.ImageInvalid, e.Code);
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.Empty(await _test.Store.ListAsync(TestContext.Current.CancellationToken));
        Assert.Empty(_test.Files("blobs/sha256"));
        Assert.Empty(_test.Files("block"));
        Assert.True(_test.IsTidy);
    }

    [Fact]
    public async Task A_decompression_bomb_ends_at_the_limit()
    {
        byte[] bomb = Gzip(new byte[64 << 20]);
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(
            () => _test.Store.ImportAsync(new MemoryStream(bomb), null, new ImageConfiguration(), TestContext.Current.CancellationToken));
        Assert.Equal(ErrorCode.ImageInvalid, e.Code);
        Assert.Empty(_test.Files("blobs/sha256"));
        Assert.True(_test.IsTidy);
    }

    [Fact]
    public async Task Absolute_and_odd_names_stay_within_the_image()
    {
        byte[] layer = [.. Tar(File("/etc/x"), File("./b//c"), File("d/../e")), .. "trailing garbage"u8];
        TarImage image = new(layer);
        _test.Source.Add("odd", image);
        await _test.Store.PullAsync("odd", null, null, TestContext.Current.CancellationToken);
        using BlockImageLease lease = await _test.Store.OpenBlockImageAsync(image.Id, TestContext.Current.CancellationToken);
        Assert.Equal(["/b", "/b/c", "/e", "/etc", "/etc/x"], SquashfsListing.Paths(lease.Path));
    }

    [Fact]
    public void Bytes_changed_at_random_never_cause_another_failure()
    {
        byte[] valid = Tar(Folder("d"), File("d/a", "content"), HardLink("b", "d/a"), Link("l", "d"), File("l/x"), File("d/.wh.a"), (WithAttribute(100), []), File(new string('n', 150), "y"));
        Random random = new(20_240_301);
        for (int round = 0; round < 5_000; round++)
        {
            byte[] changed = [.. valid];
            int header = random.Next(changed.Length / 512) * 512;
            for (int i = random.Next(1, 4); i > 0; i--)
                changed[header + random.Next(512)] = (byte)random.Next(256);
            FixChecksum(changed.AsSpan(header, 512));
            try
            {
                LayerTree tree = new(_limits);
                for (int layer = 0; layer < 2; layer++)
                {
                    tree.BeginLayer();
                    TarReader reader = new(new MemoryStream(changed), _limits);
                    while (reader.Next() is { } entry)
                        tree.Add(entry);
                }

                MergedTar merged = new(tree, new TarWriter(Stream.Null), _limits);
                merged.WriteFolders();
                merged.WriteLayer(new MemoryStream(changed), TestContext.Current.CancellationToken);
                merged.WriteLayer(new MemoryStream(changed), TestContext.Current.CancellationToken);
            }
            catch (CandelaException e)
            {
                Assert.Equal(ErrorCode.ImageInvalid, e.Code);
            }
        }
    }

    public void Dispose() => _test.Dispose();

    private static string Deep(int levels) => string.Join('/', Enumerable.Repeat(new string('d', 99), levels));

    private static TarEntry WithAttribute(int length) =>
        new() { Kind = TarKind.Regular, Name = "x", Mode = 420, Attributes = [new("user.a", new byte[length])] };

    /// <summary>A tar of one file with bytes of its header replaced.</summary>
    private static byte[] Patch(int offset, ReadOnlySpan<byte> bytes, bool fixChecksum = true)
    {
        byte[] tar = Tar(File("a", "content"));
        bytes.CopyTo(tar.AsSpan(offset));
        if (fixChecksum)
            FixChecksum(tar.AsSpan(0, 512));
        return tar;
    }

    /// <summary>A tar of nothing but an extension header.</summary>
    private static byte[] Extension(char kind, ReadOnlySpan<byte> content)
    {
        byte[] tar = Tar((new TarEntry { Kind = TarKind.Regular, Name = "pax" }, content.ToArray()));
        tar[156] = (byte)kind;
        FixChecksum(tar.AsSpan(0, 512));
        return tar;
    }

    private static void FixChecksum(Span<byte> header)
    {
        header.Slice(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte value in header)
            sum += value;
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
    }
}
