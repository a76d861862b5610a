using System.Security.Cryptography;
using System.Text.Json;
using Candela.Model;
using Candela.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;
using static Candela.Images.Tests.TarImage;

namespace Candela.Images.Tests.Registry;

/// <summary>Pushes to the real docker-registry.</summary>
public sealed class PushTests : IDisposable
{
    private static readonly RegistryCredential User = new(RegistryServer.Username, RegistryServer.Password, null);

    private readonly TemporaryFolder _folder = new();
    private readonly List<ImageStore> _stores = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _stores.ForEach(static store => store.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public async Task What_is_pulled_again_is_the_same_image_with_the_same_files()
    {
        await using RegistryServer registry = await RegistryServer.StartAsync();
        using ImageStore store = Open();
        Image image = await ImportAsync(store, $"{registry.Authority}/team/app:1.0");
        StatusLog progress = new();

        PushedImage pushed = await store.PushAsync($"{registry.Authority}/team/app:1.0", null, progress, Token);

        (string mediaType, byte[] manifest) = await registry.GetManifestAsync("team/app", "1.0");
        Assert.Equal(("application/vnd.docker.distribution.manifest.v2+json", pushed.Digest, pushed.Bytes), (mediaType, RegistryServer.Digest(manifest), (long)manifest.Length));
        Assert.Equal($"The push refers to repository [{registry.Authority}/team/app]", progress.Lines[0]);
        Assert.Contains(progress.Lines, static line => line.EndsWith(": Pushed", StringComparison.Ordinal));
        Assert.Equal($"1.0: digest: {pushed.Digest} size: {pushed.Bytes}", progress.Lines[^1]);
        Assert.Equal([$"{registry.Authority}/team/app@{pushed.Digest}"], (await store.GetAsync(image.Id, Token)).Digests);
        Assert.True(registry.HasNoUploads);

        using ImageStore other = Open();
        Image pulled = await other.PullAsync($"{registry.Authority}/team/app@{pushed.Digest}", null, null, Token);
        Assert.Equal(image.Id, pulled.Id);
        Assert.Equal(await SaveAsync(store, image.Id), await SaveAsync(other, pulled.Id));

        // What came gzip'd goes as it came.
        await other.TagAsync(pulled.Id, $"{registry.Authority}/again:1", Token);
        Assert.Equal(pushed.Digest, (await other.PushAsync($"{registry.Authority}/again:1", null, null, Token)).Digest);
    }

    [Fact]
    public async Task What_the_registry_has_is_not_sent_again_but_mounted()
    {
        await using RegistryServer registry = await RegistryServer.StartAsync();
        using ImageStore store = Open();
        Image image = await ImportAsync(store, $"{registry.Authority}/team/app");
        await store.PushAsync($"{registry.Authority}/team/app", null, null, Token);
        StatusLog again = new(), mounted = new();

        await store.PushAsync($"{registry.Authority}/team/app", null, again, Token);
        await store.TagAsync(image.Id, $"{registry.Authority}/other", Token);
        PushedImage pushed = await store.PushAsync($"{registry.Authority}/other", null, mounted, Token);

        Assert.Contains(again.Lines, static line => line.EndsWith(": Layer already exists", StringComparison.Ordinal));
        Assert.Contains(mounted.Lines, static line => line.EndsWith(": Mounted from team/app", StringComparison.Ordinal));
        Assert.True(registry.HasNoUploads);
        using ImageStore other = Open();
        Assert.Equal(image.Id, (await other.PullAsync($"{registry.Authority}/other@{pushed.Digest}", null, null, Token)).Id);
    }

    [Fact]
    public async Task An_image_that_came_with_an_OCI_manifest_goes_with_one()
    {
        await using RegistryServer registry = await RegistryServer.StartAsync();
        TarImage image = new(Tar(File("a", "1"))) { Blobs = [Gzip(Tar(File("a", "1")))] };
        await registry.PushBlobAsync("oci", image.Configuration);
        await registry.PushBlobAsync("oci", image.Blobs[0]);
        await registry.PushManifestAsync("oci", "1", "application/vnd.oci.image.manifest.v1+json", image.Manifest);
        using ImageStore store = Open();
        Image pulled = await store.PullAsync($"{registry.Authority}/oci:1", null, null, Token);

        await store.TagAsync(pulled.Id, $"{registry.Authority}/copy:1", Token);
        await store.PushAsync($"{registry.Authority}/copy:1", null, null, Token);

        (string mediaType, byte[] manifest) = await registry.GetManifestAsync("copy", "1");
        Assert.Equal("application/vnd.oci.image.manifest.v1+json", mediaType);
        using JsonDocument document = JsonDocument.Parse(manifest);
        Assert.Equal("application/vnd.oci.image.layer.v1.tar+gzip", document.RootElement.GetProperty("layers")[0].GetProperty("mediaType").GetString());
    }

    [Fact]
    public async Task A_broken_upload_goes_on_where_it_broke()
    {
        await using RegistryServer registry = await RegistryServer.StartAsync();
        const int layerBytes = 24 << 20;
        await using CuttingProxy proxy = new(registry.Authority, 9 << 20, cuts: 2);
        using ImageStore store = Open();
        Image image = await ImportAsync(store, $"{proxy.Authority}/app", layerBytes);

        await store.PushAsync($"{proxy.Authority}/app", null, null, Token);

        Assert.Equal(2, proxy.Cuts);
        Assert.InRange(proxy.Received, layerBytes, 2 * layerBytes);
        using ImageStore other = Open();
        Assert.Equal(image.Id, (await other.PullAsync($"{registry.Authority}/app", null, null, Token)).Id);
    }

    [Fact]
    public async Task A_password_is_asked_for_over_TLS()
    {
        using var certificate = TestCertificate.Create();
        await using RegistryServer registry = await RegistryServer.StartAsync(password: true, certificate);
        using ImageStore store = Open();
        await ImportAsync(store, $"{registry.Authority}/app");

        CandelaException none = await Assert.ThrowsAsync<CandelaException>(() => store.PushAsync($"{registry.Authority}/app", null, null, Token));
        Assert.Equal(ErrorCode.Unauthenticated, none.Code);
        CandelaException wrong = await Assert.ThrowsAsync<CandelaException>(() => store.PushAsync($"{registry.Authority}/app", User with { Password = "wrong" }, null, Token));
        Assert.Equal(ErrorCode.Unauthenticated, wrong.Code);
        PushedImage pushed = await store.PushAsync($"{registry.Authority}/app", User, null, Token);

        RemoteImage remote = await store.InspectRemoteAsync($"{registry.Authority}/app", User, Token);
        Assert.Equal((pushed.Digest, pushed.Bytes), (remote.Digest, remote.Bytes));
        Assert.Equal([new RemotePlatform("linux", "amd64", "")], remote.Platforms);
        await store.LoginAsync(registry.Authority, User, Token);
        Assert.Equal(ErrorCode.Unauthenticated, (await Assert.ThrowsAsync<CandelaException>(() => store.LoginAsync(registry.Authority, User with { Password = "wrong" }, Token))).Code);
    }

    [Fact]
    public async Task A_token_for_all_that_is_needed_is_asked_for_once()
    {
        await using TokenIssuer issuer = new();
        await using RegistryServer registry = await RegistryServer.StartAsync(tokens: issuer.Issuance);
        using ImageStore store = Open();
        Image image = await ImportAsync(store, $"{registry.Authority}/team/app");

        await store.PushAsync($"{registry.Authority}/team/app", User, null, Token);
        await store.TagAsync(image.Id, $"{registry.Authority}/team/other", Token);
        StatusLog mounted = new();
        await store.PushAsync($"{registry.Authority}/team/other", User, mounted, Token);

        Assert.Equal([["repository:team/app:pull,push"], ["repository:team/other:pull,push", "repository:team/app:pull"]], issuer.Scopes);
        Assert.Contains(mounted.Lines, static line => line.EndsWith(": Mounted from team/app", StringComparison.Ordinal));
        await store.LoginAsync(registry.Authority, User, Token);
        Assert.Equal(ErrorCode.Unauthenticated, (await Assert.ThrowsAsync<CandelaException>(() => store.LoginAsync(registry.Authority, User with { Password = "wrong" }, Token))).Code);
        Assert.Equal(ErrorCode.Unauthenticated, (await Assert.ThrowsAsync<CandelaException>(() => store.PushAsync($"{registry.Authority}/team/app", null, null, Token))).Code);
    }

    [Fact]
    public async Task Who_gives_up_leaves_nothing_behind_and_may_push_again()
    {
        await using RegistryServer registry = await RegistryServer.StartAsync();
        using ImageStore store = Open();
        Image image = await ImportAsync(store, $"{registry.Authority}/app", 40 << 20);
        using CancellationTokenSource stop = new();
        StatusLog progress = new(line =>
        {
            if (line.EndsWith(": Pushing", StringComparison.Ordinal))
                stop.Cancel();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.PushAsync($"{registry.Authority}/app", null, progress, stop.Token));

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Path, "1", "tmp")));
        Assert.Empty((await store.GetAsync(image.Id, Token)).Digests);
        await store.PushAsync($"{registry.Authority}/app", null, null, Token);
    }

    [Fact]
    public async Task What_is_not_here_cannot_be_pushed()
    {
        using ImageStore store = Open();
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => store.PushAsync("127.0.0.1:1/none:1", null, null, Token));
        Assert.Equal((ErrorCode.ImageNotFound, "An image does not exist locally with the tag: 127.0.0.1:1/none"), (e.Code, e.Message));
        await ImportAsync(store, "127.0.0.1:1/app");
        Assert.Equal(ErrorCode.Unavailable, (await Assert.ThrowsAsync<CandelaException>(() => store.PushAsync("127.0.0.1:1/app", null, null, Token))).Code);
    }

    private ImageStore Open()
    {
        ImageStore store = new(new ImageStoreOptions { Folder = _folder.File($"{_stores.Count + 1}") }, NullLogger.Instance);
        _stores.Add(store);
        return store;
    }

    /// <summary>An image of one layer that does not get smaller.</summary>
    private static Task<Image> ImportAsync(ImageStore store, string reference, int bytes = 100_000) =>
        store.ImportAsync(new MemoryStream(Tar(File("data", RandomNumberGenerator.GetBytes(bytes)), Folder("etc"))), reference, new ImageConfiguration { Command = ["/data"] }, Token);

    private static async Task<byte[]> SaveAsync(ImageStore store, string id)
    {
        using MemoryStream output = new();
        await store.SaveAsync([id], () => Task.FromResult<Stream>(output), Token);
        return output.ToArray();
    }

    private sealed class StatusLog(Action<string>? heard = null) : IProgress<ImageProgress>
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                    return [.. _lines];
            }
        }

        public void Report(ImageProgress value)
        {
            string line = value.Id is null ? value.Status : $"{value.Id}: {value.Status}";
            lock (_lines)
                _lines.Add(line);
            heard?.Invoke(line);
        }
    }
}
