using Candela.Model;
using Candela.Model.Networking;

namespace Candela.Controller;

/// <summary>
/// Who may talk to whom in a project: security groups, network policies, and what holds where none decides. A change is enforced when its
/// call returns, for open connections, too. Failures are <see cref="CandelaException"/>s.
/// </summary>
public interface INetworkPolicyService
{
    /// <summary>Groups by name.</summary>
    Task<IReadOnlyList<SecurityGroup>> ListGroupsAsync(Caller caller, CancellationToken cancellationToken);

    /// <summary>One group. NotFound.</summary>
    Task<SecurityGroup> GetGroupAsync(Caller caller, string name, CancellationToken cancellationToken);

    /// <summary>Creates. AlreadyExists, InvalidArgument, ResourceExhausted.</summary>
    Task<SecurityGroup> CreateGroupAsync(Caller caller, SecurityGroupSpec spec, CancellationToken cancellationToken);

    /// <summary>Replaces what a group is. NotFound, InvalidArgument; Conflict: it has another revision.</summary>
    Task<SecurityGroup> ReplaceGroupAsync(Caller caller, SecurityGroupSpec spec, CancellationToken cancellationToken);

    /// <summary>Removes. NotFound; Conflict: a policy speaks of it.</summary>
    Task RemoveGroupAsync(Caller caller, string name, CancellationToken cancellationToken);

    /// <summary>Names of the containers that are connected and members of a group. NotFound.</summary>
    Task<IReadOnlyList<string>> ListMembersAsync(Caller caller, string name, CancellationToken cancellationToken);

    /// <summary>Policies, in the order in which they decide.</summary>
    Task<IReadOnlyList<NetworkPolicy>> ListPoliciesAsync(Caller caller, CancellationToken cancellationToken);

    /// <summary>One policy. NotFound.</summary>
    Task<NetworkPolicy> GetPolicyAsync(Caller caller, string name, CancellationToken cancellationToken);

    /// <summary>Creates. AlreadyExists, InvalidArgument, ResourceExhausted; NotFound: a group or segment that it speaks of.</summary>
    Task<NetworkPolicy> CreatePolicyAsync(Caller caller, NetworkPolicySpec spec, CancellationToken cancellationToken);

    /// <summary>Replaces what a policy is. NotFound, InvalidArgument; Conflict: it has another revision.</summary>
    Task<NetworkPolicy> ReplacePolicyAsync(Caller caller, NetworkPolicySpec spec, CancellationToken cancellationToken);

    /// <summary>Removes. NotFound.</summary>
    Task RemovePolicyAsync(Caller caller, string name, CancellationToken cancellationToken);

    /// <summary>What holds where no policy decides.</summary>
    Task<ProjectNetworking> GetSettingsAsync(Caller caller, CancellationToken cancellationToken);

    /// <summary>Changes that.</summary>
    Task<ProjectNetworking> SetSettingsAsync(Caller caller, ProjectNetworking settings, CancellationToken cancellationToken);
}
