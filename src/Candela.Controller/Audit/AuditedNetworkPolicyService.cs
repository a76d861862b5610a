using Candela.Controller.Networks.Policies;
using Candela.Model.Networking;

namespace Candela.Controller.Audit;

/// <summary>Records every call of the network policy service.</summary>
internal sealed class AuditedNetworkPolicyService(NetworkPolicyService inner, AuditLog audit) : INetworkPolicyService
{
    public Task<IReadOnlyList<SecurityGroup>> ListGroupsAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "security-group.list", "", () => inner.ListGroupsAsync(caller, cancellationToken));

    public Task<SecurityGroup> GetGroupAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "security-group.get", name, () => inner.GetGroupAsync(caller, name, cancellationToken));

    public Task<SecurityGroup> CreateGroupAsync(Caller caller, SecurityGroupSpec spec, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "security-group.create", spec.Name, () => inner.CreateGroupAsync(caller, spec, cancellationToken));

    public Task<SecurityGroup> ReplaceGroupAsync(Caller caller, SecurityGroupSpec spec, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "security-group.replace", spec.Name, () => inner.ReplaceGroupAsync(caller, spec, cancellationToken));

    public Task RemoveGroupAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "security-group.remove", name, () => inner.RemoveGroupAsync(caller, name, cancellationToken));

    public Task<IReadOnlyList<string>> ListMembersAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "security-group.members", name, () => inner.ListMembersAsync(caller, name, cancellationToken));

    public Task<IReadOnlyList<NetworkPolicy>> ListPoliciesAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network-policy.list", "", () => inner.ListPoliciesAsync(caller, cancellationToken));

    public Task<NetworkPolicy> GetPolicyAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network-policy.get", name, () => inner.GetPolicyAsync(caller, name, cancellationToken));

    public Task<NetworkPolicy> CreatePolicyAsync(Caller caller, NetworkPolicySpec spec, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network-policy.create", spec.Name, () => inner.CreatePolicyAsync(caller, spec, cancellationToken));

    public Task<NetworkPolicy> ReplacePolicyAsync(Caller caller, NetworkPolicySpec spec, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network-policy.replace", spec.Name, () => inner.ReplacePolicyAsync(caller, spec, cancellationToken));

    public Task RemovePolicyAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "network-policy.remove", name, () => inner.RemovePolicyAsync(caller, name, cancellationToken));

    public Task<ProjectNetworking> GetSettingsAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "networking.get", "", () => inner.GetSettingsAsync(caller, cancellationToken));

    public Task<ProjectNetworking> SetSettingsAsync(Caller caller, ProjectNetworking settings, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "networking.set", settings.Default.ToString(), () => inner.SetSettingsAsync(caller, settings, cancellationToken));
}
