using Candela.Build;
using Candela.Controller.Containers;
using Candela.Controller.Images.Builds;
using Candela.Images;
using Candela.Model;

namespace Candela.Controller.Images;

/// <summary>The image store, kept from taking away what containers use.</summary>
internal sealed class ImageService(ControllerOptions options, IImageStore store, ContainerTable containers, ImageRemovals removals, ContainerCommits commits, ImageBuilds builds) : IImageService
{
    private const int ShortIdLength = 12;

    public Task<IReadOnlyList<Image>> ListAsync(Caller caller, CancellationToken cancellationToken) => store.ListAsync(cancellationToken);

    public Task<Image> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) => store.GetAsync(reference, cancellationToken);

    public Task<Image> PullAsync(Caller caller, string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        store.PullAsync(reference, credential, progress, cancellationToken);

    public Task<PushedImage> PushAsync(Caller caller, string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        store.PushAsync(reference, credential, progress, cancellationToken);

    public Task LoginAsync(Caller caller, string registry, RegistryCredential credential, CancellationToken cancellationToken) =>
        store.LoginAsync(registry, credential, cancellationToken);

    public Task<RemoteImage> InspectRemoteAsync(Caller caller, string reference, RegistryCredential? credential, CancellationToken cancellationToken) =>
        store.InspectRemoteAsync(reference, credential, cancellationToken);

    public Task<IReadOnlyList<Image>> LoadAsync(Caller caller, Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        store.LoadAsync(archive, progress, cancellationToken);

    public Task SaveAsync(Caller caller, IReadOnlyList<string> references, Func<Task<Stream>> begin, CancellationToken cancellationToken) =>
        store.SaveAsync(references, begin, cancellationToken);

    public Task<Image> ImportAsync(Caller caller, Stream rootfsTar, string? reference, ImageConfiguration configuration, CancellationToken cancellationToken) =>
        store.ImportAsync(rootfsTar, reference, configuration, cancellationToken);

    public Task<Image> CommitAsync(
        Caller caller, string container, string? reference, string author, string comment, Func<ImageConfiguration, ImageConfiguration> change, CancellationToken cancellationToken) =>
        commits.CommitAsync(containers.Get(caller.Project, container).Record, reference, author, comment, change, cancellationToken);

    public Task<string> BuildAsync(
        Caller caller, Stream context, BuildRequest request, Func<string, RegistryCredential?> credentials, IBuildOutput output, CancellationToken cancellationToken) =>
        builds.BuildAsync(caller, context, request, credentials, output, cancellationToken);

    public Task<long> PruneBuildsAsync(Caller caller, CancellationToken cancellationToken) =>
        removals.RunAsync(() => store.PruneBuiltAsync(id => containers.FindUser(id) is not null, cancellationToken), cancellationToken);

    public Task TagAsync(Caller caller, string source, string target, CancellationToken cancellationToken) => store.TagAsync(source, target, cancellationToken);

    public Task<IReadOnlyList<ImageRemoval>> RemoveAsync(Caller caller, string reference, bool force, CancellationToken cancellationToken) =>
        removals.RunAsync(() => RemoveOneAsync(reference, force, cancellationToken), cancellationToken);

    public async Task<(IReadOnlyList<ImageRemoval> Removed, long FreedBytes)> PruneAsync(Caller caller, bool all, Func<Image, bool>? isMeant, CancellationToken cancellationToken)
    {
        // A removal collects the garbage that it makes, so what all of them freed is measured.
        var before = await GetDiskUsageAsync(caller, cancellationToken);
        var removed = await removals.RunAsync(() => RemoveUnusedAsync(all, isMeant, cancellationToken), cancellationToken);
        await store.CollectGarbageAsync(cancellationToken);
        return (removed, Math.Max(0, before - await GetDiskUsageAsync(caller, cancellationToken)));
    }

    public Task<long> GetDiskUsageAsync(Caller caller, CancellationToken cancellationToken) =>
        Task.Run(() => DiskUsage.OfFolder(options.ImageFolder, cancellationToken), cancellationToken);

    private async Task<IReadOnlyList<ImageRemoval>> RemoveOneAsync(string reference, bool force, CancellationToken cancellationToken)
    {
        var image = await store.GetAsync(reference, cancellationToken);
        var user = containers.FindUser(image.Id);
        var byId = IsId(image, reference);
        if (user is not null && IsRunning(user) && (byId || image.Tags.Count == 1))
        {
            // Not even by force: a running container's file system stays.
            throw byId || force
                ? new CandelaException(ErrorCode.Conflict, $"conflict: unable to delete {Short(image.Id)} (cannot be forced) - image is being used by running container {user.Id[..ShortIdLength]}")
                : NameInUse(image, reference, user);
        }

        try
        {
            return await store.RemoveAsync(reference, force, id => containers.FindUser(id) is not null, cancellationToken);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Conflict && user is not null)
        {
            throw byId
                ? new CandelaException(ErrorCode.Conflict, $"conflict: unable to delete {Short(image.Id)} (must be forced) - image is being used by stopped container {user.Id[..ShortIdLength]}", e)
                : NameInUse(image, reference, user);
        }
    }

    private async Task<IReadOnlyList<ImageRemoval>> RemoveUnusedAsync(bool all, Func<Image, bool>? isMeant, CancellationToken cancellationToken)
    {
        var removed = new List<ImageRemoval>();
        foreach (var image in await store.ListAsync(cancellationToken))
        {
            if (!all && image.Tags.Count > 0 || isMeant?.Invoke(image) is false || containers.FindUser(image.Id) is not null)
                continue;
            try
            {
                // By force: an image of several names goes by its id.
                removed.AddRange(await store.RemoveAsync(image.Id, force: true, static _ => false, cancellationToken));
            }
            catch (CandelaException e) when (e.Code is ErrorCode.ImageNotFound or ErrorCode.NotFound or ErrorCode.Conflict)
            {
                // Gone meanwhile, or held: by waiting VMMs (the built-in image), or by a container that was made meanwhile.
            }
        }

        return removed;
    }

    private static bool IsRunning(Container container) =>
        container.Status.State is ContainerState.Running or ContainerState.Paused or ContainerState.Restarting;

    private static bool IsId(Image image, string reference)
    {
        var digits = reference.StartsWith("sha256:", StringComparison.Ordinal) ? reference["sha256:".Length..] : reference;
        return image.Id["sha256:".Length..].StartsWith(digits, StringComparison.Ordinal)
            && !image.Tags.Any(tag => tag == reference || tag == reference + ":latest");
    }

    private static CandelaException NameInUse(Image image, string reference, Container user) => new(
        ErrorCode.Conflict,
        $"conflict: unable to remove repository reference \"{reference}\" (must force) - container {user.Id[..ShortIdLength]} is using its referenced image {Short(image.Id)}");

    private static string Short(string imageId) => imageId["sha256:".Length..][..ShortIdLength];
}
