using Candela.Controller.Access;
using Candela.Controller.Networks.Policies;
using Candela.Identity.Authorization;
using Candela.Model.Networking;

namespace Candela.Controller.Audit;

/// <summary>Asks of every call of the network policy service whether its caller may, and records it.</summary>
internal sealed class AuditedNetworkPolicyService(NetworkPolicyService inner, AccessControl access, AuditLog audit)
    : AuditedService(access, audit, ResourceKind.NetworkPolicy), INetworkPolicyService
{
    public Task<IReadOnlyList<SecurityGroup>> ListGroupsAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller, "security-group.list", Verb.List, "", () => inner.ListGroupsAsync(caller, cancellationToken), cancellationToken);

    public Task<SecurityGroup> GetGroupAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        RunAsync(caller, "security-group.get", Verb.Get, name, () => inner.GetGroupAsync(caller, name, cancellationToken), cancellationToken);

    public Task<SecurityGroup> CreateGroupAsync(Caller caller, SecurityGroupSpec spec, CancellationToken cancellationToken) =>
        RunAsync(caller, "security-group.create", Verb.Create, spec.Name, () => inner.CreateGroupAsync(caller, spec, cancellationToken), cancellationToken);

    public Task<SecurityGroup> ReplaceGroupAsync(Caller caller, SecurityGroupSpec spec, CancellationToken cancellationToken) =>
        RunAsync(caller, "security-group.replace", Verb.Update, spec.Name, () => inner.ReplaceGroupAsync(caller, spec, cancellationToken), cancellationToken);

    public Task RemoveGroupAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        RunAsync(caller, "security-group.remove", Verb.Delete, name, () => inner.RemoveGroupAsync(caller, name, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<string>> ListMembersAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        RunAsync(caller, "security-group.members", Verb.Get, name, () => inner.ListMembersAsync(caller, name, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<NetworkPolicy>> ListPoliciesAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller, "network-policy.list", Verb.List, "", () => inner.ListPoliciesAsync(caller, cancellationToken), cancellationToken);

    public Task<NetworkPolicy> GetPolicyAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        RunAsync(caller, "network-policy.get", Verb.Get, name, () => inner.GetPolicyAsync(caller, name, cancellationToken), cancellationToken);

    public Task<NetworkPolicy> CreatePolicyAsync(Caller caller, NetworkPolicySpec spec, CancellationToken cancellationToken) =>
        RunAsync(caller, "network-policy.create", Verb.Create, spec.Name, () => inner.CreatePolicyAsync(caller, spec, cancellationToken), cancellationToken);

    public Task<NetworkPolicy> ReplacePolicyAsync(Caller caller, NetworkPolicySpec spec, CancellationToken cancellationToken) =>
        RunAsync(caller, "network-policy.replace", Verb.Update, spec.Name, () => inner.ReplacePolicyAsync(caller, spec, cancellationToken), cancellationToken);

    public Task RemovePolicyAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        RunAsync(caller, "network-policy.remove", Verb.Delete, name, () => inner.RemovePolicyAsync(caller, name, cancellationToken), cancellationToken);

    public Task<ProjectNetworking> GetSettingsAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller, "networking.get", Verb.Get, "", () => inner.GetSettingsAsync(caller, cancellationToken), cancellationToken);

    public Task<ProjectNetworking> SetSettingsAsync(Caller caller, ProjectNetworking settings, CancellationToken cancellationToken) =>
        RunAsync(caller, "networking.set", Verb.Update, settings.Default.ToString(), () => inner.SetSettingsAsync(caller, settings, cancellationToken), cancellationToken);
}
