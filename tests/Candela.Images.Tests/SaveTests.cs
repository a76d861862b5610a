using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Candela.Images.Layers;
using Candela.Images.Storage;
using Candela.Model;
using Candela.Tests.Shared;
using static Candela.Images.Tests.TarImage;

namespace Candela.Images.Tests;

/// <summary>What <c>docker save</c> gets.</summary>
public sealed class SaveTests : IDisposable
{
    private readonly TestStore _test = new();
    private readonly TemporaryFolder _folder = new();
    private readonly TarImage _image = new(Tar(File("a", "1")), Tar(File("b", "2")));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _test.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_is_loaded_again_is_the_same_and_saves_the_same_bytes()
    {
        await LoadAsync(_test.Store, _image, "one:1", "registry.example/two:latest");
        byte[] saved = await SaveAsync(_test.Store, "one:1", "registry.example/two");

        using TestStore other = new();
        Image image = Assert.Single(await other.Store.LoadAsync(new RequestBody(saved), null, Token));

        Assert.Equal(_image.Id, image.Id);
        Assert.Equal(["one:1", "registry.example/two:latest"], image.Tags);
        Assert.Equal(saved, await SaveAsync(other.Store, "one:1", "registry.example/two:latest"));
    }

    [Fact]
    public async Task Layers_that_came_compressed_are_saved_as_their_diff_ids_say()
    {
        TarImage packed = new(_image.Layers) { Blobs = [.. _image.Layers.Select(Gzip)] };
        await _test.Store.LoadAsync(new MemoryStream(Tar(
            File("index.json", $$"""{"manifests":[{{Describe(packed.Manifest, "application/vnd.oci.image.manifest.v1+json")}}]}"""),
            Blob(packed.Manifest), Blob(packed.Configuration), Blob(packed.Blobs[0]), Blob(packed.Blobs[1]))), null, Token);

        Dictionary<string, byte[]> members = Members(await SaveAsync(_test.Store, packed.Id));

        Assert.Equal(_image.Layers[0], members[BlobName(_image.Layers[0])]);
        Assert.Equal(_image.Layers[1], members[BlobName(_image.Layers[1])]);
        foreach ((string name, byte[] content) in members.Where(static member => member.Key.StartsWith("blobs/sha256/", StringComparison.Ordinal)))
            Assert.Equal(name, BlobName(content));
        using JsonDocument manifest = JsonDocument.Parse(members["manifest.json"]);
        Assert.Equal(JsonValueKind.Null, manifest.RootElement[0].GetProperty("RepoTags").ValueKind); // it was asked for by id
    }

    [Fact]
    public async Task Several_images_share_what_they_have_in_common()
    {
        TarImage other = new(_image.Layers[0]);
        await LoadAsync(_test.Store, _image, "one:1", "one:2");
        await LoadAsync(_test.Store, other, "two:1");

        byte[] saved = await SaveAsync(_test.Store, "one", "two:1");

        Assert.Single(Names(saved), name => name == BlobName(_image.Layers[0]));
        using TestStore target = new();
        Assert.Equal([["one:1", "one:2"], ["two:1"]], (await target.Store.LoadAsync(new RequestBody(saved), null, Token)).Select(static image => image.Tags));
    }

    [Fact]
    public async Task An_OCI_layout_is_in_it_too()
    {
        await LoadAsync(_test.Store, _image, "one:1");
        Dictionary<string, byte[]> members = Members(await SaveAsync(_test.Store, "one:1"));

        Assert.Equal("""{"imageLayoutVersion":"1.0.0"}""", Encoding.UTF8.GetString(members["oci-layout"]));
        byte[] layout = Tar([.. members.Where(static member => member.Key is not ("manifest.json" or "repositories")).Select(static member => File(member.Key, member.Value))]);
        using TestStore target = new();
        Image image = Assert.Single(await target.Store.LoadAsync(new RequestBody(layout), null, Token));
        Assert.Equal((_image.Id, "one:1"), (image.Id, image.Tags[0]));
    }

    [Fact]
    public async Task Nothing_is_begun_when_an_image_is_missing()
    {
        await LoadAsync(_test.Store, _image, "one:1");
        bool begun = false;
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => _test.Store.SaveAsync(
            ["one:1", "none:1"], () => Task.FromResult<Stream>(begun ? Stream.Null : throw new InvalidOperationException($"begun {begun = true}")), Token));
        Assert.Equal(ErrorCode.ImageNotFound, e.Code);
        Assert.False(begun);
        Assert.Equal(ErrorCode.InvalidArgument, (await Assert.ThrowsAsync<CandelaException>(() => _test.Store.SaveAsync([], () => Task.FromResult(Stream.Null), Token))).Code);
    }

    [Fact]
    public async Task GNU_tar_reads_it()
    {
        await LoadAsync(_test.Store, _image, "one:1");
        string path = _folder.File("saved.tar");
        await System.IO.File.WriteAllBytesAsync(path, await SaveAsync(_test.Store, "one:1"), Token);
        using Process tar = Process.Start(new ProcessStartInfo("tar", ["-tf", path]) { RedirectStandardOutput = true })!;
        string listing = await tar.StandardOutput.ReadToEndAsync(Token);
        await tar.WaitForExitAsync(Token);
        Assert.Equal(0, tar.ExitCode);
        Assert.Contains("manifest.json", listing, StringComparison.Ordinal);
    }

    private static async Task LoadAsync(ImageStore store, TarImage image, params string[] tags) =>
        await store.LoadAsync(
            new MemoryStream(Tar([
                File("manifest.json", $$"""[{"Config":"c.json","RepoTags":[{{string.Join(',', tags.Select(static tag => $"\"{tag}\""))}}],"Layers":[{{string.Join(',', image.Layers.Select(static (_, i) => $"\"{i}\""))}}]}]"""),
                File("c.json", image.Configuration),
                .. image.Layers.Select(static (layer, i) => File($"{i}", layer))])),
            null,
            Token);

    private static async Task<byte[]> SaveAsync(ImageStore store, params string[] references)
    {
        using MemoryStream output = new();
        await store.SaveAsync(references, () => Task.FromResult<Stream>(output), Token);
        return output.ToArray();
    }

    private static List<string> Names(byte[] archive)
    {
        TarReader reader = new(new MemoryStream(archive), new ImageLimits());
        List<string> names = [];
        while (reader.Next() is { } entry)
            names.Add(entry.Name);
        return names;
    }

    private static Dictionary<string, byte[]> Members(byte[] archive)
    {
        TarReader reader = new(new MemoryStream(archive), new ImageLimits());
        Dictionary<string, byte[]> members = [];
        while (reader.Next() is { } entry)
        {
            if (entry.Kind != TarKind.Regular)
                continue;
            byte[] content = new byte[entry.Size];
            for (int done = 0; done < content.Length;)
                done += reader.Read(content.AsSpan(done));
            members.Add(entry.Name, content);
        }

        Assert.True(reader.HasEndMark);
        return members;
    }

    private static string BlobName(byte[] content) => "blobs/sha256/" + Digests.Hex(Digests.Of(content));

    private static (TarEntry, byte[]) Blob(byte[] content) => File(BlobName(content), content);
}
