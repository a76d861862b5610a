using Candela.Controller.Images;
using Candela.Images;

namespace Candela.Controller.Audit;

/// <summary>Records every call of the image service.</summary>
internal sealed class AuditedImageService(ImageService inner, AuditLog audit) : IImageService
{
    public Task<IReadOnlyList<Image>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "image.list", "", () => inner.ListAsync(caller, cancellationToken));

    public Task<Image> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "image.get", reference, () => inner.GetAsync(caller, reference, cancellationToken));

    public Task<Image> PullAsync(Caller caller, string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "image.pull", reference, () => inner.PullAsync(caller, reference, credential, progress, cancellationToken));

    public Task<IReadOnlyList<Image>> LoadAsync(Caller caller, Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "image.load", "", () => inner.LoadAsync(caller, archive, progress, cancellationToken));

    public Task<Image> ImportAsync(Caller caller, Stream rootfsTar, string? reference, ImageConfiguration configuration, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "image.import", reference ?? "", () => inner.ImportAsync(caller, rootfsTar, reference, configuration, cancellationToken));

    public Task TagAsync(Caller caller, string source, string target, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "image.tag", $"{source} {target}", () => inner.TagAsync(caller, source, target, cancellationToken));

    public Task<IReadOnlyList<ImageRemoval>> RemoveAsync(Caller caller, string reference, bool force, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "image.remove", reference, () => inner.RemoveAsync(caller, reference, force, cancellationToken));

    public Task<(IReadOnlyList<ImageRemoval> Removed, long FreedBytes)> PruneAsync(Caller caller, bool all, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "image.prune", "", () => inner.PruneAsync(caller, all, cancellationToken));

    public Task<long> GetDiskUsageAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "image.usage", "", () => inner.GetDiskUsageAsync(caller, cancellationToken));
}
