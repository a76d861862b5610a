using Candela.Controller.Access;
using Candela.Controller.Volumes;
using Candela.Identity.Authorization;
using Candela.Model;

namespace Candela.Controller.Audit;

/// <summary>Asks of every call of the volume service whether its caller may, and records it.</summary>
internal sealed class AuditedVolumeService(VolumeService inner, AccessControl access, AuditLog audit) : IVolumeService
{
    public Task<Volume> CreateAsync(Caller caller, VolumeSpec spec, CancellationToken cancellationToken) =>
        RunAsync(caller, "volume.create", Verb.Create, spec.Name ?? "", () => inner.CreateAsync(caller, spec, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<VolumeUsage>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller, "volume.list", Verb.List, "", () => inner.ListAsync(caller, cancellationToken), cancellationToken);

    public Task<VolumeUsage> GetAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        RunAsync(caller, "volume.get", Verb.Get, name, () => inner.GetAsync(caller, name, cancellationToken), cancellationToken);

    public Task RemoveAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        RunAsync(caller, "volume.remove", Verb.Delete, name, async () =>
        {
            await inner.RemoveAsync(caller, name, cancellationToken);
            return true;
        }, cancellationToken);

    public Task<IReadOnlyList<VolumeUsage>> PruneAsync(Caller caller, Func<Volume, bool> filter, CancellationToken cancellationToken) =>
        RunAsync(caller, "volume.prune", Verb.Delete, "", () => inner.PruneAsync(caller, filter, cancellationToken), cancellationToken);

    private Task<T> RunAsync<T>(Caller caller, string action, Verb verb, string target, Func<Task<T>> call, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, action, target, async () =>
        {
            await access.RequireAsync(caller, ResourceKind.Volume, verb, cancellationToken);
            return await call();
        });
}
