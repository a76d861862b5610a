using System.Text;
using Candela.Images.Layers;
using Candela.Images.Storage;
using Candela.Model;
using static Candela.Images.Tests.TarImage;

namespace Candela.Images.Tests;

public sealed class LoadTests : IDisposable
{
    private const string OciImage = "application/vnd.oci.image.manifest.v1+json";
    private const string OciIndex = "application/vnd.oci.image.index.v1+json";

    private readonly TestStore _test = new();
    private readonly TarImage _image = new(Tar(File("a", "1")), Tar(File("b", "2")));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reads_what_docker_save_writes(bool gzip)
    {
        byte[] archive = Tar(
            File("manifest.json", $$"""[{"Config":"{{Hex(_image.Id)}}.json","RepoTags":["one:1","registry.example/two:latest"],"Layers":["x/layer.tar","y/layer.tar"]}]"""),
            File($"{Hex(_image.Id)}.json", _image.Configuration),
            File("x/layer.tar", _image.Layers[0]),
            File("y/layer.tar", _image.Layers[1]),
            File("repositories", "{}"));
        Image image = Assert.Single(await LoadAsync(gzip ? Gzip(archive) : archive));
        Assert.Equal(_image.Id, image.Id);
        Assert.Equal(["one:1", "registry.example/two:latest"], image.Tags);
        Assert.Empty(image.Digests);
        Assert.Equal(["/bin/true"], image.Configuration.Command);
        Assert.Equal(_image.Layers.Sum(static layer => layer.Length), image.SizeBytes);
        await RequireContentAsync();
    }

    [Fact]
    public async Task Reads_layers_that_are_links_to_others()
    {
        byte[] layer = Tar(File("a"));
        TarImage image = new(layer, layer);
        byte[] archive = Tar(
            File("manifest.json", """[{"Config":"c.json","RepoTags":null,"Layers":["x/layer.tar","y/layer.tar"]}]"""),
            Link("y/layer.tar", "../x/layer.tar"),
            File("c.json", image.Configuration),
            File("x/layer.tar", layer));
        Assert.Equal(image.Id, Assert.Single(await LoadAsync(archive)).Id);
    }

    [Theory]
    [InlineData("io.containerd.image.name", "docker.io/library/one:1", "one:1")]
    [InlineData("org.opencontainers.image.ref.name", "example.com/one:1", "example.com/one:1")]
    [InlineData("org.opencontainers.image.ref.name", "1", null)]
    public async Task Reads_an_OCI_layout(string annotation, string value, string? tag)
    {
        TarImage image = new(_image.Layers) { Blobs = [.. _image.Layers.Select(Gzip)] };
        byte[] archive = Tar(
            File("oci-layout", """{"imageLayoutVersion":"1.0.0"}"""),
            File("index.json", $$"""{"schemaVersion":2,"manifests":[{{Annotated(image.Manifest, OciImage, annotation, value)}}]}"""),
            Blob(image.Manifest),
            Blob(image.Configuration),
            Blob(image.Blobs[0]),
            Blob(image.Blobs[1]));
        Image loaded = Assert.Single(await LoadAsync(archive));
        Assert.Equal(tag is null ? [] : [tag], loaded.Tags);
        await RequireContentAsync();
    }

    [Fact]
    public async Task Chooses_this_platform_of_a_nested_index()
    {
        byte[] index = Encoding.UTF8.GetBytes(
            $$"""
            {"schemaVersion":2,"manifests":[
            {{Describe("other"u8.ToArray(), OciImage)[..^1]}},"platform":{"os":"linux","architecture":"arm64"} },
            {{Describe(_image.Manifest, OciImage)[..^1]}},"platform":{"os":"linux","architecture":"amd64"} }]}
            """);
        byte[] archive = Tar(
            File("index.json", $$"""{"manifests":[{{Annotated(index, OciIndex, "io.containerd.image.name", "a/b:1")}}]}"""),
            Blob(index),
            Blob(_image.Manifest),
            Blob(_image.Configuration),
            Blob(_image.Layers[0]),
            Blob(_image.Layers[1]));
        Assert.Equal(["a/b:1"], Assert.Single(await LoadAsync(archive)).Tags);
    }

    [Fact]
    public async Task Reads_several_images_that_share_a_layer()
    {
        TarImage other = new(_image.Layers[0]);
        byte[] archive = Tar(
            File("manifest.json", """[{"Config":"a.json","RepoTags":["a:1"],"Layers":["1","2"]},{"Config":"b.json","RepoTags":["b:1"],"Layers":["1"]}]"""),
            File("a.json", _image.Configuration),
            File("b.json", other.Configuration),
            File("1", _image.Layers[0]),
            File("2", _image.Layers[1]));
        Assert.Equal(["a:1", "b:1"], (await LoadAsync(archive)).Select(static image => image.Tags[0]));
        Assert.Equal(4, _test.Files("blobs/sha256").Count());
    }

    public static TheoryData<string, byte[]> Refused()
    {
        TarImage image = new(Tar(File("a", "1")));
        TarImage other = new(Tar(File("b")));
        const string saved = """[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l"]}]""";
        return new()
        {
            { "neither manifest.json", Tar(File("etc/passwd")) },
            { "neither manifest.json", [] },
            { "bad checksum", [.. new byte[511], 1] },
            { "truncated", "no tar"u8.ToArray() },
            { "no member \"c.json\"", Tar(File("manifest.json", saved)) },
            { "no member \"l\"", Tar(File("manifest.json", saved), File("c.json", image.Configuration)) },
            { "configuration says", Tar(File("manifest.json", saved), File("c.json", image.Configuration), File("l", other.Layers[0])) },
            { "invalid layer", Tar(File("manifest.json", saved), File("c.json", image.Configuration), File("l", "no tar")) },
            { "invalid image configuration", Tar(File("manifest.json", saved), File("c.json", "{"), File("l", image.Layers[0])) },
            { "the configuration 0", Tar(File("manifest.json", saved), File("c.json", "{}"), File("l", image.Layers[0])) },
            { "is null", Tar(File("manifest.json", saved), File("c.json", """{"config":{"Env":[null]}}"""), File("l", image.Layers[0])) },
            { "is no sha256 digest", Tar(File("manifest.json", saved), File("c.json", """{"rootfs":{"diff_ids":["../../etc/passwd"]}}"""), File("l", image.Layers[0])) },
            { "The JSON value", Tar(File("manifest.json", "{}")) },
            { "no image for linux/amd64", Tar(File("manifest.json", "[null]")) },
            { "no member \"\"", Tar(File("manifest.json", "[{}]")) },
            { "leads out of it", Tar(File("../x"), File("manifest.json", saved)) },
            { "leads out of it", Tar(Link("x", "../../y"), File("manifest.json", saved)) },
            { "no member \"c.json\"", Tar(File("manifest.json", saved), Link("c.json", "c.json")) },
            { "the content of", Tar(File("manifest.json", $$"""[{"Config":"blobs/sha256/{{Hex(image.Id)}}","Layers":["l"]}]"""), File($"blobs/sha256/{Hex(image.Id)}", other.Configuration), File("l", image.Layers[0])) },
            { "invalid reference format", Tar(File("manifest.json", saved.Replace("a:1", "A B")), File("c.json", image.Configuration), File("l", image.Layers[0])) },
            { "the content of blob", Tar(File("index.json", $$"""{"manifests":[{{Describe(image.Manifest, OciImage)}}]}"""), File("blobs/sha256/" + Hex(Digests.Of(image.Manifest)), other.Manifest)) },
            { "unsupported digest", Tar(File("index.json", """{"manifests":[{"digest":"sha256:../../../etc/passwd"}]}""")) },
            { "manifest", Tar(File("index.json", $$"""{"manifests":[{{Describe("{}"u8.ToArray(), OciImage)}}]}"""), Blob("{}"u8.ToArray())) },
        };
    }

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public async Task Refuses_what_is_damaged_and_leaves_nothing(string reason, byte[] archive)
    {
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => LoadAsync(archive));
        Assert.Equal(ErrorCode.ImageInvalid, e.Code);
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.Empty(_test.Files("blobs/sha256"));
        Assert.Empty(_test.Files("block"));
        Assert.True(_test.IsTidy);
    }

    [Fact]
    public async Task A_stream_that_breaks_off_leaves_nothing()
    {
        using RequestBody stream = new(Tar(File("a", new byte[100_000])), new IOException("the connection broke"));
        IOException e = await Assert.ThrowsAsync<IOException>(() => _test.Store.LoadAsync(stream, null, TestContext.Current.CancellationToken));
        Assert.Equal("the connection broke", e.Message);
        Assert.True(_test.IsTidy);
    }

    public void Dispose() => _test.Dispose();

    private async Task<IReadOnlyList<Image>> LoadAsync(byte[] archive) =>
        await _test.Store.LoadAsync(new RequestBody(archive), null, TestContext.Current.CancellationToken);

    private async Task RequireContentAsync()
    {
        using BlockImageLease lease = await _test.Store.OpenBlockImageAsync(_image.Id, TestContext.Current.CancellationToken);
        Assert.Equal("1", SquashfsListing.Read(lease.Path, "a"));
        Assert.Equal("2", SquashfsListing.Read(lease.Path, "b"));
        Assert.True(_test.IsTidy);
    }

    private static string Hex(string digest) => Digests.Hex(digest);

    private static (TarEntry, byte[]) Blob(byte[] content) => File("blobs/sha256/" + Hex(Digests.Of(content)), content);

    private static string Annotated(byte[] content, string mediaType, string annotation, string value) =>
        $$"""{{Describe(content, mediaType)[..^1]}},"annotations":{"{{annotation}}":"{{value}}"} }""";
}
