using System.Text;
using System.Text.Json.Nodes;
using Candela.Images.Registry;
using Candela.Model;
using Candela.Tests.Shared;

namespace Candela.Images.Tests.Registry;

public sealed class HostileRegistryTests : IDisposable
{
    private readonly FakeImage _image = new();
    private readonly RegistryClient _client = new();

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Refuses_another_manifest_than_asked_for_whatever_the_digest_header_says()
    {
        var asked = RegistryServer.Digest([1, 2, 3]);
        await using var server = new FakeServer(_ => new FakeAnswer
        {
            Headers = [("Content-Type", FakeImage.ManifestType), ("Docker-Content-Digest", asked)],
            Body = _image.Manifest,
        });

        Assert.Equal(ErrorCode.ImageInvalid, (await _client.FailToResolveAsync(server, name: $"app@{asked}")).Code);
    }

    [Fact]
    public async Task Computes_the_digest_of_a_tag_itself()
    {
        await using var server = new FakeServer(request =>
        {
            var answer = _image.Answer(request);
            return answer with { Headers = [.. answer.Headers, ("Docker-Content-Digest", RegistryServer.Digest([1]))] };
        });

        await using var image = await _client.ResolveAsync(server);

        Assert.Equal(RegistryServer.Digest(_image.Manifest), image.ManifestDigest);
    }

    [Fact]
    public async Task Refuses_a_platforms_manifest_that_is_not_the_one_in_the_index()
    {
        var entry = RegistryServer.Descriptor(FakeImage.ManifestType, [1, 2, 3]);
        entry["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = "amd64" };
        var index = new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(entry) }.ToJsonString();
        await using var server = new FakeServer(request => request.Target == FakeImage.ManifestPath
            ? FakeAnswer.Json(index, mediaType: "application/vnd.oci.image.index.v1+json")
            : new FakeAnswer { Headers = [("Content-Type", FakeImage.ManifestType)], Body = _image.Manifest });

        Assert.Equal(ErrorCode.ImageInvalid, (await _client.FailToResolveAsync(server)).Code);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Refuses_a_huge_manifest(bool hidesLength, bool endless)
    {
        var huge = new byte[ManifestDocument.MaximumBytes + 1];
        await using var server = new FakeServer(_ => new FakeAnswer { Body = huge, ContentLength = hidesLength ? -1 : null, Endless = endless });

        var failure = await _client.FailToResolveAsync(server);

        Assert.Equal(ErrorCode.ImageInvalid, failure.Code);
        Assert.Contains("more than 4194304 bytes", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"schemaVersion":2,"layers":[]}""")]
    [InlineData("""{"schemaVersion":2,"config":7,"layers":[]}""")]
    [InlineData("""{"schemaVersion":"two","manifests":{}}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[1]}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[],"layers":[]}""")]
    public async Task Refuses_what_is_no_manifest(string body)
    {
        await using var server = new FakeServer(_ => FakeAnswer.Json(body));

        Assert.Equal(ErrorCode.ImageInvalid, (await _client.FailToResolveAsync(server)).Code);
    }

    [Fact]
    public async Task Refuses_a_layer_of_another_digest_and_deletes_it()
    {
        await using var server = new FakeServer(request => request.Target == _image.LayerPath ? new FakeAnswer { Body = new byte[_image.Layer.Length] } : _image.Answer(request));

        Assert.Equal(ErrorCode.ImageInvalid, (await _client.FailToFetchLayerAsync(server)).Code);

        Assert.False(File.Exists(_client.FilePath));
        Assert.Single(server.Requests, request => request.Target == _image.LayerPath);
    }

    [Fact]
    public async Task Stops_reading_a_layer_that_does_not_end()
    {
        await using var server = new FakeServer(request => request.Target == _image.LayerPath ? new FakeAnswer { Endless = true } : _image.Answer(request));

        var failure = await _client.FailToFetchLayerAsync(server);

        Assert.Equal(ErrorCode.ImageInvalid, failure.Code);
        Assert.Contains("longer than 1000 bytes", failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_client.FilePath));
    }

    [Theory]
    [InlineData(999)]
    [InlineData(1001)]
    [InlineData(long.MaxValue)]
    public async Task Refuses_a_content_length_that_is_not_the_manifests(long length)
    {
        await using var server = new FakeServer(request => request.Target == _image.LayerPath ? new FakeAnswer { Body = _image.Layer, ContentLength = length } : _image.Answer(request));

        var failure = await _client.FailToFetchLayerAsync(server);

        Assert.Equal(ErrorCode.ImageInvalid, failure.Code);
        Assert.Contains($"{length} bytes instead of 1000", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ends_when_a_layer_of_unknown_length_stays_too_short()
    {
        await using var server = new FakeServer(request => request.Target == _image.LayerPath
            ? new FakeAnswer { Body = _image.Layer[..10], ContentLength = -1 }
            : _image.Answer(request));

        Assert.Equal(ErrorCode.Unavailable, (await _client.FailToFetchLayerAsync(server)).Code);
    }

    [Fact]
    public async Task Shows_a_refusal_without_control_characters_and_at_bounded_length()
    {
        var text = "\\u001b[31m" + new string('x', 10_000);
        await using var server = new FakeServer(_ => FakeAnswer.Error(403, "DENIED", text));

        var failure = await _client.FailToResolveAsync(server);

        Assert.Equal(ErrorCode.ImageNotFound, failure.Code);
        Assert.StartsWith($"pull access denied for {server.Authority}/app, repository does not exist or may require 'docker login': denied:  [31mxxx", failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.Message.Length, 500, 700);
    }

    [Fact]
    public async Task Ends_when_the_registry_sends_no_http()
    {
        await using var server = new FakeServer(_ => new FakeAnswer { Status = 99999999 });

        Assert.Equal(ErrorCode.Unavailable, (await _client.FailToResolveAsync(server)).Code);
    }

    [Fact]
    public async Task Ends_when_the_registry_says_nothing()
    {
        await using var server = new FakeServer(_ => new FakeAnswer { Body = Encoding.UTF8.GetBytes("{"), ContentLength = 100, Silent = true });
        using var client = new RegistryClient(RegistryClient.Impatient with { DocumentTimeout = TimeSpan.FromMilliseconds(200), Attempts = 2 });

        Assert.Equal(ErrorCode.Unavailable, (await client.FailToResolveAsync(server)).Code);
        Assert.Equal(2, server.Requests.Count);
    }
}
