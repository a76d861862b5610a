using Candela.Images.Naming;
using Candela.Images.Registry;
using Candela.Model;
using Candela.Tests.Shared;

namespace Candela.Images.Tests.Registry;

/// <summary>A source without patience, and a folder for its files.</summary>
internal sealed class RegistryClient : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RegistryImageSource _source;

    public RegistryClient(RegistryOptions? options = null, TimeProvider? time = null)
        => _source = new RegistryImageSource(options ?? Impatient, time ?? TimeProvider.System);

    public static RegistryOptions Impatient { get; } = new() { RetryDelay = TimeSpan.FromMilliseconds(1), IdleTimeout = TimeSpan.FromSeconds(5) };

    public string FilePath => _folder.File("blob");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public Task<SourceImage> ResolveAsync(FakeServer server, RegistryCredential? credential = null, string name = "app:latest")
        => _source.ResolveAsync(ImageReference.Parse($"{server.Authority}/{name}"), credential, Cancellation);

    /// <summary>Pulls the image's only layer.</summary>
    public async Task<byte[]> FetchLayerAsync(FakeServer server, RegistryCredential? credential = null, IProgress<long>? progress = null)
    {
        await using var image = await ResolveAsync(server, credential);
        await image.FetchAsync(image.Layers[0], FilePath, progress, Cancellation);
        return File.ReadAllBytes(FilePath);
    }

    public async Task<CandelaException> FailToResolveAsync(FakeServer server, RegistryCredential? credential = null, string name = "app:latest")
        => await Assert.ThrowsAsync<CandelaException>(() => ResolveAsync(server, credential, name));

    public async Task<CandelaException> FailToFetchLayerAsync(FakeServer server)
        => await Assert.ThrowsAsync<CandelaException>(() => FetchLayerAsync(server));

    public void Dispose()
    {
        _source.Dispose();
        _folder.Dispose();
    }
}
