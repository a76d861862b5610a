using Candela.Controller;
using Candela.Model;
using Candela.Model.Networking;

namespace Candela.Docker.Tests.Fake;

/// <summary>Networks in memory.</summary>
internal sealed class FakeNetworkService : INetworkService
{
    private readonly List<ContainerNetwork> _networks =
    [
        new() { Id = new string('b', 64), Name = "bridge", Project = "default", CreatedAt = DateTimeOffset.UnixEpoch, Ipv4Subnet = "172.20.0.0/16", Ipv4Gateway = "172.20.0.1", IsBuiltIn = true },
    ];

    public bool IsAvailable => true;

    public NetworkSpec? Created { get; private set; }

    public Task<IReadOnlyList<ContainerNetwork>> ListAsync(Caller caller, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<ContainerNetwork>>([.. _networks]);

    public Task<ContainerNetwork> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) => Task.FromResult(Find(reference));

    public Task<ContainerNetwork> CreateAsync(Caller caller, NetworkSpec spec, CancellationToken cancellationToken)
    {
        if (_networks.Any(n => n.Name == spec.Name))
            throw new CandelaException(ErrorCode.AlreadyExists, $"network with name {spec.Name} already exists");
        Created = spec;
        var network = new ContainerNetwork
        {
            Id = new string('c', 63) + _networks.Count, Name = spec.Name, Project = "default", CreatedAt = DateTimeOffset.UnixEpoch, Ipv4Subnet = spec.Ipv4Subnet ?? "172.21.0.0/16",
            Ipv4Gateway = spec.Ipv4Gateway ?? "172.21.0.1", IsInternal = spec.IsInternal, Labels = spec.Labels,
        };
        _networks.Add(network);
        return Task.FromResult(network);
    }

    public Task<ContainerNetwork> UpdateAsync(Caller caller, string reference, SegmentChange change, CancellationToken cancellationToken) =>
        throw new CandelaException(ErrorCode.NotSupported, "docker changes no networks");

    public Task RemoveAsync(Caller caller, string reference, CancellationToken cancellationToken)
    {
        _networks.Remove(Find(reference));
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<ContainerNetwork>> PruneAsync(Caller caller, Func<ContainerNetwork, bool> filter, CancellationToken cancellationToken)
    {
        ContainerNetwork[] removed = [.. _networks.Where(n => !n.IsBuiltIn && filter(n))];
        _networks.RemoveAll(removed.Contains);
        return Task.FromResult<IReadOnlyList<ContainerNetwork>>(removed);
    }

    private ContainerNetwork Find(string reference) =>
        _networks.FirstOrDefault(n => n.Name == reference || n.Id == reference) ?? throw new CandelaException(ErrorCode.NotFound, $"network {reference} not found");
}
