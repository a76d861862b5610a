using Candela.Model;
using Candela.Model.Networking;

namespace Candela.Controller;

/// <summary>
/// Networks of a project. A network is referred to by name, id or unambiguous id prefix. Failures are <see cref="CandelaException"/>s.
/// </summary>
public interface INetworkService
{
    /// <summary>Name of the network that containers are connected to that ask for none in particular.</summary>
    const string DefaultName = "bridge";

    /// <summary>This machine can connect containers.</summary>
    bool IsAvailable { get; }

    /// <summary>All networks, the built-in one first.</summary>
    Task<IReadOnlyList<ContainerNetwork>> ListAsync(Caller caller, CancellationToken cancellationToken);

    /// <summary>One network.</summary>
    Task<ContainerNetwork> GetAsync(Caller caller, string reference, CancellationToken cancellationToken);

    /// <summary>Creates. AlreadyExists; Conflict: its subnet overlaps another's of the project; InvalidArgument.</summary>
    Task<ContainerNetwork> CreateAsync(Caller caller, NetworkSpec spec, CancellationToken cancellationToken);

    /// <summary>Changes routes and rate limits; what is connected has them when this returns. NotFound, InvalidArgument.</summary>
    Task<ContainerNetwork> UpdateAsync(Caller caller, string reference, SegmentChange change, CancellationToken cancellationToken);

    /// <summary>Removes. Conflict: it is built in, a policy speaks of it, or containers are connected.</summary>
    Task RemoveAsync(Caller caller, string reference, CancellationToken cancellationToken);

    /// <summary>Removes all that no container is connected to.</summary>
    Task<IReadOnlyList<ContainerNetwork>> PruneAsync(Caller caller, Func<ContainerNetwork, bool> filter, CancellationToken cancellationToken);
}
