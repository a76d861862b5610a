using Candela.Build;
using Candela.Controller.Access;
using Candela.Controller.Images;
using Candela.Identity.Authorization;
using Candela.Images;

namespace Candela.Controller.Audit;

/// <summary>Asks of every call of the image service whether its caller may, and records it.</summary>
internal sealed class AuditedImageService(ImageService inner, AccessControl access, AuditLog audit)
    : AuditedService(access, audit, ResourceKind.Image), IImageService
{
    public Task<IReadOnlyList<Image>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.list", Verb.List, "", () => inner.ListAsync(caller, cancellationToken), cancellationToken);

    public Task<Image> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.get", Verb.Get, reference, () => inner.GetAsync(caller, reference, cancellationToken), cancellationToken);

    public Task<Image> PullAsync(Caller caller, string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.pull", Verb.Create, reference, () => inner.PullAsync(caller, reference, credential, progress, cancellationToken), cancellationToken);

    public Task<PushedImage> PushAsync(Caller caller, string reference, RegistryCredential? credential, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.push", Verb.Update, reference, () => inner.PushAsync(caller, reference, credential, progress, cancellationToken), cancellationToken);

    public Task LoginAsync(Caller caller, string registry, RegistryCredential credential, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.login", Verb.Get, registry, () => inner.LoginAsync(caller, registry, credential, cancellationToken), cancellationToken);

    public Task<RemoteImage> InspectRemoteAsync(Caller caller, string reference, RegistryCredential? credential, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.inspect-remote", Verb.Get, reference, () => inner.InspectRemoteAsync(caller, reference, credential, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<Image>> LoadAsync(Caller caller, Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.load", Verb.Create, "", () => inner.LoadAsync(caller, archive, progress, cancellationToken), cancellationToken);

    public Task SaveAsync(Caller caller, IReadOnlyList<string> references, Func<Task<Stream>> begin, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.save", Verb.Get, string.Join(' ', references), () => inner.SaveAsync(caller, references, begin, cancellationToken), cancellationToken);

    public Task<Image> ImportAsync(Caller caller, Stream rootfsTar, string? reference, ImageConfiguration configuration, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.import", Verb.Create, reference ?? "", () => inner.ImportAsync(caller, rootfsTar, reference, configuration, cancellationToken), cancellationToken);

    public Task<Image> CommitAsync(
        Caller caller, string container, string? reference, string author, string comment, Func<ImageConfiguration, ImageConfiguration> change, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.commit", Verb.Create, $"{container} {reference}", async () =>
        {
            // Its files become readable to all who may have the image.
            var id = await Access.RequireContainerAsync(caller, container, Verb.Execute, cancellationToken);
            return await inner.CommitAsync(caller, id, reference, author, comment, change, cancellationToken);
        }, cancellationToken);

    public Task<string> BuildAsync(
        Caller caller, Stream context, BuildRequest request, Func<string, RegistryCredential?> credentials, IBuildOutput output, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.build", Verb.Create, string.Join(' ', request.Tags), () => inner.BuildAsync(caller, context, request, credentials, output, cancellationToken), cancellationToken);

    public Task<long> PruneBuildsAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.prune-builds", Verb.Delete, "", () => inner.PruneBuildsAsync(caller, cancellationToken), cancellationToken);

    public Task TagAsync(Caller caller, string source, string target, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.tag", Verb.Update, $"{source} {target}", () => inner.TagAsync(caller, source, target, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<ImageRemoval>> RemoveAsync(Caller caller, string reference, bool force, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.remove", Verb.Delete, reference, () => inner.RemoveAsync(caller, reference, force, cancellationToken), cancellationToken);

    public Task<(IReadOnlyList<ImageRemoval> Removed, long FreedBytes)> PruneAsync(Caller caller, bool all, Func<Image, bool>? isMeant, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.prune", Verb.Delete, "", () => inner.PruneAsync(caller, all, isMeant, cancellationToken), cancellationToken);

    public Task<long> GetDiskUsageAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller, "image.usage", Verb.List, "", () => inner.GetDiskUsageAsync(caller, cancellationToken), cancellationToken);
}
