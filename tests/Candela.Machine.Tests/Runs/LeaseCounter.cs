using Candela.Images;

namespace Candela.Machine.Tests.Runs;

/// <summary>An image store that does nothing but lend one block image.</summary>
internal sealed class LeaseCounter : IImageStore
{
    private int _held;

    public event Action<ImageEvent>? Changed
    {
        add { }
        remove { }
    }

    /// <summary>Leases that have not been given back.</summary>
    public int Held => _held;

    public Task<BlockImageLease> OpenBlockImageAsync(string imageId, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _held);
        return Task.FromResult(new BlockImageLease("/image.squashfs", "squashfs", () => Interlocked.Decrement(ref _held)));
    }

    public Task<IReadOnlyList<Image>> ListAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Image> GetAsync(string reference, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Image> PullAsync(string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<Image>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<PushedImage> PushAsync(string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task LoginAsync(string registry, RegistryCredential credential, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<RemoteImage> InspectRemoteAsync(string reference, RegistryCredential? credential, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SaveAsync(IReadOnlyList<string> references, Func<Task<Stream>> begin, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Image> ImportAsync(Stream rootfsTar, string? reference, ImageConfiguration configuration, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Image?> FindBuiltAsync(string buildKey, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<long> PruneBuiltAsync(Func<string, bool> isUsed, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task KeepBuiltAsync(string imageId, IReadOnlyList<string> references, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Candela.Images.Files.FileTree> OpenFilesAsync(string? imageId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public string NewTemporaryPath() => throw new NotSupportedException();

    public Task<Image> CommitAsync(string? baseId, Stream? layerTar, ImageCommit commit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task TagAsync(string source, string target, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<ImageRemoval>> RemoveAsync(string reference, bool force, Func<string, bool> isUsed, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<long> CollectGarbageAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
}
