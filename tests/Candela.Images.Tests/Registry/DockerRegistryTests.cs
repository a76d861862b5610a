using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Candela.Images.Naming;
using Candela.Images.Registry;
using Candela.Model;
using Candela.Tests.Shared;

namespace Candela.Images.Tests.Registry;

/// <summary>Against the real docker-registry.</summary>
public sealed class DockerRegistryTests : IDisposable
{
    private static readonly byte[] Configuration = """{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}"""u8.ToArray();
    private readonly TemporaryFolder _folder = new();
    private readonly RegistryImageSource _source = new(new RegistryOptions { RetryDelay = TimeSpan.FromMilliseconds(1) }, TimeProvider.System);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _source.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Pulls_by_tag_and_by_digest()
    {
        await using var registry = await RegistryServer.StartAsync();
        byte[][] layers = [RandomNumberGenerator.GetBytes(100_000), RandomNumberGenerator.GetBytes(3_000_000)];
        var (digest, manifest) = await registry.PushImageAsync("team/app", "1.0", Configuration, layers);

        foreach (var reference in (string[])[$"{registry.Authority}/team/app:1.0", $"{registry.Authority}/team/app@{digest}"])
        {
            await using var image = await _source.ResolveAsync(ImageReference.Parse(reference), null, Cancellation);
            Assert.Equal(digest, image.ManifestDigest);
            Assert.Equal(manifest, image.Manifest);
            Assert.Equal(RegistryServer.Digest(Configuration), image.Configuration.Digest);
            Assert.Equal(layers.Select(RegistryServer.Digest), image.Layers.Select(layer => layer.Digest));
            Assert.Equal(Configuration, await FetchAsync(image, image.Configuration));
            Assert.Equal(layers[1], await FetchAsync(image, image.Layers[1]));
        }
    }

    [Fact]
    public async Task Chooses_linux_amd64_of_a_docker_manifest_list_and_of_an_oci_index()
    {
        await using var registry = await RegistryServer.StartAsync();
        var (arm, armManifest) = await registry.PushImageAsync("multi", null, [.. Configuration, (byte)' '], RandomNumberGenerator.GetBytes(10));
        var (amd, amdManifest) = await registry.PushImageAsync("multi", null, Configuration, RandomNumberGenerator.GetBytes(10));
        foreach (var type in (string[])["application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json"])
        {
            var index = new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = type,
                ["manifests"] = new JsonArray(Entry(armManifest, "arm64", "v8"), Entry(amdManifest, "amd64", null)),
            };
            var indexBytes = Encoding.UTF8.GetBytes(index.ToJsonString());
            var digest = await registry.PushManifestAsync("multi", "latest", type, indexBytes);

            await using var image = await _source.ResolveAsync(ImageReference.Parse($"{registry.Authority}/multi"), null, Cancellation);

            Assert.Equal(digest, image.ManifestDigest);
            Assert.Equal(amdManifest, image.Manifest);
            Assert.NotEqual(arm, amd);
        }
    }

    [Fact]
    public async Task Continues_a_partial_file()
    {
        await using var registry = await RegistryServer.StartAsync();
        var layer = RandomNumberGenerator.GetBytes(500_000);
        await registry.PushImageAsync("app", "latest", Configuration, layer);
        await using var image = await _source.ResolveAsync(ImageReference.Parse($"{registry.Authority}/app"), null, Cancellation);
        var progress = new ProgressLog();
        File.WriteAllBytes(_folder.File("part"), layer[..300_000]);

        await image.FetchAsync(image.Layers[0], _folder.File("part"), progress, Cancellation);

        Assert.Equal(layer, File.ReadAllBytes(_folder.File("part")));
        Assert.Equal(300_000, progress.Values[0]);
        Assert.Equal(500_000, progress.Values[^1]);
    }

    [Fact]
    public async Task Replaces_a_partial_file_of_something_else_and_one_that_is_too_long()
    {
        await using var registry = await RegistryServer.StartAsync();
        var layer = RandomNumberGenerator.GetBytes(50_000);
        await registry.PushImageAsync("app", "latest", Configuration, layer);
        await using var image = await _source.ResolveAsync(ImageReference.Parse($"{registry.Authority}/app"), null, Cancellation);
        foreach (var length in (int[])[10_000, 50_000, 60_000])
        {
            File.WriteAllBytes(_folder.File("part"), new byte[length]);
            await image.FetchAsync(image.Layers[0], _folder.File("part"), null, Cancellation);
            Assert.Equal(layer, File.ReadAllBytes(_folder.File("part")));
        }
    }

    [Fact]
    public async Task Says_in_dockers_words_that_there_is_no_such_image()
    {
        await using var registry = await RegistryServer.StartAsync();
        await registry.PushImageAsync("app", "latest", Configuration, RandomNumberGenerator.GetBytes(10));

        var tag = await Assert.ThrowsAsync<CandelaException>(() => _source.ResolveAsync(ImageReference.Parse($"{registry.Authority}/app:none"), null, Cancellation));
        Assert.Equal(ErrorCode.ImageNotFound, tag.Code);
        Assert.StartsWith($"manifest for {registry.Authority}/app:none not found: manifest unknown", tag.Message, StringComparison.Ordinal);
        var repository = await Assert.ThrowsAsync<CandelaException>(() => _source.ResolveAsync(ImageReference.Parse($"{registry.Authority}/none"), null, Cancellation));
        Assert.Equal(ErrorCode.ImageNotFound, repository.Code);
    }

    [Fact]
    public async Task Authenticates_with_a_password()
    {
        await using var registry = await RegistryServer.StartAsync(password: true);
        var layer = RandomNumberGenerator.GetBytes(1000);
        await registry.PushImageAsync("app", "latest", Configuration, layer);
        var reference = ImageReference.Parse($"{registry.Authority}/app");

        await using var image = await _source.ResolveAsync(reference, new RegistryCredential(RegistryServer.Username, RegistryServer.Password, null), Cancellation);
        Assert.Equal(layer, await FetchAsync(image, image.Layers[0]));

        var none = await Assert.ThrowsAsync<CandelaException>(() => _source.ResolveAsync(reference, null, Cancellation));
        Assert.Equal(ErrorCode.Unauthenticated, none.Code);
        Assert.Contains("no basic auth credentials", none.Message, StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<CandelaException>(() => _source.ResolveAsync(reference, new RegistryCredential(RegistryServer.Username, "wrong", null), Cancellation));
        Assert.Equal(ErrorCode.Unauthenticated, wrong.Code);
    }

    private async Task<byte[]> FetchAsync(SourceImage image, Descriptor blob)
    {
        var path = _folder.File(Guid.NewGuid().ToString("N"));
        await image.FetchAsync(blob, path, null, Cancellation);
        return File.ReadAllBytes(path);
    }

    private static JsonObject Entry(byte[] manifest, string architecture, string? variant)
    {
        var entry = RegistryServer.Descriptor("application/vnd.docker.distribution.manifest.v2+json", manifest);
        entry["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = architecture, ["variant"] = variant };
        return entry;
    }
}
