using System.Collections.Concurrent;
using Candela.Images;
using Candela.Model;

namespace Candela.Controller.Tests.Fake;

/// <summary>Images that are only records.</summary>
internal sealed class FakeImageStore : IImageStore
{
    private readonly ConcurrentDictionary<string, Image> _images = new();

    public FakeImageStore()
    {
        Add("base:latest", 'a', new ImageConfiguration { Entrypoint = ["/entry"], Command = ["run"], Environment = ["PATH=/bin", "A=1"] });
        Add("bare:latest", 'b', new ImageConfiguration());
    }

    public event Action<ImageEvent>? Changed;

    /// <summary>Id of an image that something other than containers uses.</summary>
    public string? HeldId { get; set; }

    /// <summary>Called when an image goes.</summary>
    public Action? Removing { get; set; }

    public Image Add(string? name, char digit, ImageConfiguration configuration)
    {
        var id = "sha256:" + new string(digit, 64);
        return _images[id] = new Image
        {
            Id = id,
            Tags = name is null ? [] : [name],
            Digests = [],
            SizeBytes = 1,
            CreatedAt = DateTimeOffset.UnixEpoch,
            DiffIds = [],
            Configuration = configuration,
        };
    }

    public Task<IReadOnlyList<Image>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<Image>>([.. _images.Values]);

    public Task<Image> GetAsync(string reference, CancellationToken cancellationToken) => Task.FromResult(
        _images.Values.FirstOrDefault(image => image.Id == reference || image.Tags.Contains(reference) || image.Tags.Contains(reference + ":latest"))
        ?? throw new CandelaException(ErrorCode.ImageNotFound, $"No such image: {reference}"));

    public Task<Image> PullAsync(string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken)
    {
        var image = Add(reference, 'c', new ImageConfiguration());
        Changed?.Invoke(new ImageEvent("pull", image.Id, reference));
        return Task.FromResult(image);
    }

    public Task<IReadOnlyList<Image>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public Task<PushedImage> PushAsync(string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public Task LoginAsync(string registry, RegistryCredential credential, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public Task<RemoteImage> InspectRemoteAsync(string reference, RegistryCredential? credential, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public Task SaveAsync(IReadOnlyList<string> references, Func<Task<Stream>> begin, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public Task<Image> ImportAsync(Stream rootfsTar, string? reference, ImageConfiguration configuration, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public Task<Image?> FindBuiltAsync(string buildKey, CancellationToken cancellationToken) => Task.FromResult<Image?>(null);

    public Task<long> PruneBuiltAsync(Func<string, bool> isUsed, CancellationToken cancellationToken) => Task.FromResult(0L);

    public Task KeepBuiltAsync(string imageId, IReadOnlyList<string> references, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<Candela.Images.Files.FileTree> OpenFilesAsync(string? imageId, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public string NewTemporaryPath() => Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public Task<Image> CommitAsync(string? baseId, Stream? layerTar, ImageCommit commit, CancellationToken cancellationToken) =>
        Task.FromResult(Add(commit.Reference, 'd', commit.Configuration));

    public async Task TagAsync(string source, string target, CancellationToken cancellationToken)
    {
        var image = await GetAsync(source, cancellationToken);
        _images[image.Id] = image with { Tags = [.. image.Tags, target] };
    }

    public async Task<IReadOnlyList<ImageRemoval>> RemoveAsync(string reference, bool force, Func<string, bool> isUsed, CancellationToken cancellationToken)
    {
        var image = await GetAsync(reference, cancellationToken);
        if (!force && isUsed(image.Id))
            throw new CandelaException(ErrorCode.Conflict, "a container uses it");
        if (image.Id == HeldId)
            throw new CandelaException(ErrorCode.Conflict, "a waiting VMM uses it");
        Removing?.Invoke();
        _images.TryRemove(image.Id, out _);
        return [.. image.Tags.Select(tag => new ImageRemoval(tag, null)), new ImageRemoval(null, image.Id)];
    }

    public Task<BlockImageLease> OpenBlockImageAsync(string imageId, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "not in this fake");

    public Task<long> CollectGarbageAsync(CancellationToken cancellationToken) => Task.FromResult(0L);
}
