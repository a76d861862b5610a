using Candela.Controller.Networks;
using Candela.Model;
using Candela.Model.Networking;

namespace Candela.Controller.Audit;

/// <summary>Records every call of the network service.</summary>
internal sealed class AuditedNetworkService(NetworkService inner, AuditLog audit) : INetworkService
{
    public bool IsAvailable => inner.IsAvailable;

    public Task<IReadOnlyList<ContainerNetwork>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network.list", "", () => inner.ListAsync(caller, cancellationToken));

    public Task<ContainerNetwork> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network.get", reference, () => inner.GetAsync(caller, reference, cancellationToken));

    public Task<ContainerNetwork> CreateAsync(Caller caller, NetworkSpec spec, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network.create", spec.Name, () => inner.CreateAsync(caller, spec, cancellationToken));

    public Task<ContainerNetwork> UpdateAsync(Caller caller, string reference, SegmentChange change, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network.update", reference, () => inner.UpdateAsync(caller, reference, change, cancellationToken));

    public Task RemoveAsync(Caller caller, string reference, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network.remove", reference, () => inner.RemoveAsync(caller, reference, cancellationToken));

    public Task<IReadOnlyList<ContainerNetwork>> PruneAsync(Caller caller, Func<ContainerNetwork, bool> filter, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network.prune", "", () => inner.PruneAsync(caller, filter, cancellationToken));
}
