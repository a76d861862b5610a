using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Images.Registry;
using Candela.Model;

namespace Candela.Images.Tests.Registry;

public sealed class ManifestDocumentTests
{
    private const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    private const string OciIndex = "application/vnd.oci.image.index.v1+json";
    private const string OciLayer = "application/vnd.oci.image.layer.v1.tar+gzip";

    [Theory]
    [InlineData("linux/amd64/v3 linux/amd64 linux/arm64", 1)]
    [InlineData("linux/amd64/v3 linux/amd64/v2", 1)]
    [InlineData("windows/amd64 unknown/unknown linux/amd64/v2", 2)]
    [InlineData("linux/amd64 linux/amd64", 0)]
    [InlineData("/", 0)]
    public void Chooses_linux_amd64_with_the_lowest_variant(string platforms, int expected)
    {
        var index = Assert.IsType<IndexDocument>(Parse(Index(platforms), OciIndex));

        Assert.Equal(Digest(expected), index.Choose("app").Digest);
    }

    [Theory]
    [InlineData("linux/arm64 windows/amd64 unknown/unknown")]
    [InlineData("/ /")]
    [InlineData("")]
    public void Says_that_no_platform_fits(string platforms)
    {
        var index = Assert.IsType<IndexDocument>(Parse(Index(platforms), OciIndex));

        var failure = Assert.Throws<CandelaException>(() => index.Choose("app"));

        Assert.Equal(ErrorCode.ImageNotFound, failure.Code);
        Assert.StartsWith("no matching manifest for linux/amd64 in the manifest list entries", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")]
    [InlineData("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip+encrypted")]
    [InlineData("application/vnd.in-toto+json")]
    [InlineData("")]
    public void Refuses_layers_that_cannot_be_had_or_read(string mediaType)
        => Assert.Equal(ErrorCode.NotSupported, Fail(Manifest(mediaType), OciManifest).Code);

    [Fact]
    public void Refuses_what_is_no_container_image()
        => Assert.Contains("is not a container image", Fail(Manifest(OciLayer, configuration: "application/vnd.cncf.helm.config.v1+json"), OciManifest).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"schemaVersion":1,"fsLayers":[]}""", "")]
    [InlineData("{}", "application/vnd.docker.distribution.manifest.v1+prettyjws")]
    public void Refuses_schema_version_1(string json, string contentType)
        => Assert.Equal(ErrorCode.NotSupported, Fail(json, contentType).Code);

    [Fact]
    public void Refuses_what_can_be_read_as_index_and_as_manifest()
    {
        var both = JsonNode.Parse(Manifest(OciLayer))!;
        both["manifests"] = new JsonArray();

        Assert.Equal(ErrorCode.ImageInvalid, Fail(both.ToJsonString(), "").Code);
    }

    [Fact]
    public void Refuses_another_kind_of_document_than_its_type_says()
    {
        Assert.Equal(ErrorCode.ImageInvalid, Fail(Manifest(OciLayer), OciIndex).Code);
        Assert.Equal(ErrorCode.ImageInvalid, Fail(Index("linux/amd64"), OciManifest).Code);
    }

    [Fact]
    public void Reads_a_manifest_without_any_type()
        => Assert.Single(Assert.IsType<ImageDocument>(Parse(Manifest(OciLayer), "text/plain")).Layers);

    [Theory]
    [InlineData("sha512:" + "ab")]
    [InlineData("sha256:../../../../etc/passwd")]
    [InlineData("sha256:ABCDEF0000000000000000000000000000000000000000000000000000000000")]
    [InlineData("sha256:0000000000000000000000000000000000000000000000000000000000000000\n")]
    public void Refuses_a_digest_that_is_none(string digest)
        => Assert.Equal(ErrorCode.ImageInvalid, Fail(Manifest(OciLayer, digest: digest), OciManifest).Code);

    [Theory]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("\"1\"")]
    [InlineData("99999999999999999999")]
    [InlineData("68719476737")]
    public void Refuses_a_size_out_of_range(string size)
        => Assert.Equal(ErrorCode.ImageInvalid, Fail(Manifest(OciLayer, size: size), OciManifest).Code);

    [Fact]
    public void Refuses_too_many_layers_and_layers_too_large_together()
    {
        Assert.Equal(ErrorCode.ImageInvalid, Fail(Manifest(OciLayer, layers: ImageDocument.MaximumLayers + 1), OciManifest).Code);
        Assert.Equal(ErrorCode.ImageInvalid, Fail(Manifest(OciLayer, size: "60000000000", layers: 2), OciManifest).Code);
        Assert.Equal(ImageDocument.MaximumLayers, Assert.IsType<ImageDocument>(Parse(Manifest(OciLayer, layers: ImageDocument.MaximumLayers), OciManifest)).Layers.Count);
    }

    private static ManifestDocument Parse(string json, string contentType) => ManifestDocument.Parse(Encoding.UTF8.GetBytes(json), contentType, "app");

    private static CandelaException Fail(string json, string contentType) => Assert.Throws<CandelaException>(() => Parse(json, contentType));

    private static string Digest(int number) => "sha256:" + number.ToString("x64", CultureInfo.InvariantCulture);

    private static string Manifest(string layer, string configuration = "application/vnd.oci.image.config.v1+json", string? digest = null, string size = "1", int layers = 1)
    {
        var entry = new JsonObject { ["mediaType"] = layer, ["digest"] = digest ?? Digest(1), ["size"] = JsonNode.Parse(size) };
        return new JsonObject
        {
            ["schemaVersion"] = 2,
            ["config"] = new JsonObject { ["mediaType"] = configuration, ["digest"] = Digest(2), ["size"] = 2 },
            ["layers"] = new JsonArray([.. Enumerable.Range(0, layers).Select(_ => entry.DeepClone())]),
        }.ToJsonString();
    }

    /// <summary>An index with one entry for each <c>os/architecture[/variant]</c>; <c>/</c> is one without platform.</summary>
    private static string Index(string platforms)
    {
        var entries = platforms.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((platform, number) =>
        {
            var entry = new JsonObject { ["mediaType"] = OciManifest, ["digest"] = Digest(number), ["size"] = 1 };
            if (platform != "/")
            {
                var parts = platform.Split('/');
                entry["platform"] = new JsonObject { ["os"] = parts[0], ["architecture"] = parts[1], ["variant"] = parts.ElementAtOrDefault(2) };
            }

            return (JsonNode)entry;
        });
        return new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = OciIndex, ["manifests"] = new JsonArray([.. entries]) }.ToJsonString();
    }
}
