using Candela.Controller.Access;
using Candela.Controller.Networks;
using Candela.Identity.Authorization;
using Candela.Model;
using Candela.Model.Networking;

namespace Candela.Controller.Audit;

/// <summary>Asks of every call of the network service whether its caller may, and records it.</summary>
internal sealed class AuditedNetworkService(NetworkService inner, AccessControl access, AuditLog audit)
    : AuditedService(access, audit, ResourceKind.Segment), INetworkService
{
    public bool IsAvailable => inner.IsAvailable;

    public Task<IReadOnlyList<ContainerNetwork>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller, "network.list", Verb.List, "", () => inner.ListAsync(caller, cancellationToken), cancellationToken);

    public Task<ContainerNetwork> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        RunAsync(caller, "network.get", Verb.Get, reference, () => inner.GetAsync(caller, reference, cancellationToken), cancellationToken);

    public Task<ContainerNetwork> CreateAsync(Caller caller, NetworkSpec spec, CancellationToken cancellationToken) =>
        RunAsync(caller, "network.create", Verb.Create, spec.Name, () => inner.CreateAsync(caller, spec, cancellationToken), cancellationToken);

    public Task<ContainerNetwork> UpdateAsync(Caller caller, string reference, SegmentChange change, CancellationToken cancellationToken) =>
        RunAsync(caller, "network.update", Verb.Update, reference, () => inner.UpdateAsync(caller, reference, change, cancellationToken), cancellationToken);

    public Task RemoveAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        RunAsync(caller, "network.remove", Verb.Delete, reference, () => inner.RemoveAsync(caller, reference, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<ContainerNetwork>> PruneAsync(Caller caller, Func<ContainerNetwork, bool> filter, CancellationToken cancellationToken) =>
        RunAsync(caller, "network.prune", Verb.Delete, "", () => inner.PruneAsync(caller, filter, cancellationToken), cancellationToken);
}
