using Candela.Controller.Access;
using Candela.Controller.Volumes;
using Candela.Identity.Authorization;
using Candela.Model;

namespace Candela.Controller.Audit;

/// <summary>Asks of every call of the volume service whether its caller may, and records it.</summary>
internal sealed class AuditedVolumeService(VolumeService inner, AccessControl access, AuditLog audit)
    : AuditedService(access, audit, ResourceKind.Volume), IVolumeService
{
    public Task<Volume> CreateAsync(Caller caller, VolumeSpec spec, CancellationToken cancellationToken) =>
        RunAsync(caller, "volume.create", Verb.Create, spec.Name ?? "", () => inner.CreateAsync(caller, spec, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<VolumeUsage>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller, "volume.list", Verb.List, "", () => inner.ListAsync(caller, cancellationToken), cancellationToken);

    public Task<VolumeUsage> GetAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        RunAsync(caller, "volume.get", Verb.Get, name, () => inner.GetAsync(caller, name, cancellationToken), cancellationToken);

    public Task RemoveAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        RunAsync(caller, "volume.remove", Verb.Delete, name, () => inner.RemoveAsync(caller, name, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<VolumeUsage>> PruneAsync(Caller caller, Func<Volume, bool> filter, CancellationToken cancellationToken) =>
        RunAsync(caller, "volume.prune", Verb.Delete, "", () => inner.PruneAsync(caller, filter, cancellationToken), cancellationToken);
}
