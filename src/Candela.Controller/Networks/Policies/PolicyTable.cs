using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Candela.Controller.Storage;
using Candela.Model;
using Candela.Model.Networking;
using Candela.State;

namespace Candela.Controller.Networks.Policies;

/// <summary>A change of a project's policies that is not recorded yet.</summary>
/// <param name="Project">The project.</param>
/// <param name="Next">What will hold.</param>
/// <param name="Transaction">What records it.</param>
internal sealed record PolicyChange(string Project, ProjectPolicies Next, StateTransaction Transaction);

/// <summary>
/// Groups, policies and settings of all projects, in memory and in the state store. A change is prepared, tried on the machine, then
/// committed: what is recorded can be carried out.
/// </summary>
/// <remarks>Not for several threads at once: the network service's gate keeps them apart.</remarks>
internal sealed class PolicyTable(IStateStore store, NetworkTable networks)
{
    private readonly Dictionary<string, ProjectPolicies> _projects = new(StringComparer.Ordinal);

    /// <summary>Reads the records; those of networks must have been read.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await ReadAsync(StateKeys.SecurityGroups, ControllerJson.Default.SecurityGroup, (_, g) => _projects[g.Project] = Of(g.Project).With(g), cancellationToken);
        await ReadAsync(StateKeys.NetworkPolicies, ControllerJson.Default.NetworkPolicy, (_, p) => _projects[p.Project] = Of(p.Project).With(p, name => SegmentOf(p.Project, name)), cancellationToken);
        await ReadAsync(StateKeys.Networking, ControllerJson.Default.ProjectNetworking, (key, settings) =>
        {
            string project = key[StateKeys.Networking.Length..];
            _projects[project] = Of(project).With(settings);
        }, cancellationToken);
    }

    /// <summary>What holds in a project.</summary>
    public ProjectPolicies Of(string project) => _projects.GetValueOrDefault(project, ProjectPolicies.Empty);

    /// <exception cref="CandelaException">NotFound.</exception>
    public SecurityGroup Group(string project, string name) => Of(project).Groups.TryGetValue(name, out SecurityGroup? group)
        ? group
        : throw new CandelaException(ErrorCode.NotFound, $"there is no security group {name}");

    /// <exception cref="CandelaException">NotFound.</exception>
    public NetworkPolicy Policy(string project, string name) => Of(project).Policies.TryGetValue(name, out NetworkPolicy? policy)
        ? policy
        : throw new CandelaException(ErrorCode.NotFound, $"there is no network policy {name}");

    /// <summary>A policy that speaks of a segment, if any does.</summary>
    public NetworkPolicy? UserOfSegment(string project, string name) => Of(project).Policies.Values.FirstOrDefault(p => p.Subjects.Concat(p.Peers).Any(e => e.Segment == name));

    /// <exception cref="CandelaException">ResourceExhausted.</exception>
    public PolicyChange Put(SecurityGroup group)
    {
        ProjectPolicies policies = Of(group.Project);
        CheckCount(policies.Groups.Count, policies.Groups.ContainsKey(group.Name), NetworkPolicyLimits.GroupCount, "security groups");
        return new PolicyChange(group.Project, policies.With(group),
            new StateTransaction().Put(StateKeys.SecurityGroup(group.Project, group.Name), JsonSerializer.SerializeToUtf8Bytes(group, ControllerJson.Default.SecurityGroup)));
    }

    /// <exception cref="CandelaException">Conflict: a policy speaks of it.</exception>
    public PolicyChange Delete(SecurityGroup group)
    {
        ProjectPolicies policies = Of(group.Project);
        if (policies.Policies.Values.FirstOrDefault(p => p.Subjects.Concat(p.Peers).Any(e => e.Group == group.Name)) is { } user)
            throw new CandelaException(ErrorCode.Conflict, $"network policy {user.Name} speaks of security group {group.Name}: remove or change that first");
        return new PolicyChange(group.Project, policies.Without(group), new StateTransaction().Delete(StateKeys.SecurityGroup(group.Project, group.Name)));
    }

    /// <exception cref="CandelaException">NotFound: a group or segment that it speaks of; ResourceExhausted.</exception>
    public PolicyChange Put(NetworkPolicy policy)
    {
        ProjectPolicies policies = Of(policy.Project);
        CheckCount(policies.Policies.Count, policies.Policies.ContainsKey(policy.Name), NetworkPolicyLimits.PolicyCount, "network policies");
        foreach (string group in policy.Subjects.Concat(policy.Peers).Select(e => e.Group).OfType<string>())
            _ = Group(policy.Project, group);
        return new PolicyChange(policy.Project, policies.With(policy, name => SegmentOf(policy.Project, name)),
            new StateTransaction().Put(StateKeys.NetworkPolicy(policy.Project, policy.Name), JsonSerializer.SerializeToUtf8Bytes(policy, ControllerJson.Default.NetworkPolicy)));
    }

    public PolicyChange Delete(NetworkPolicy policy) =>
        new(policy.Project, Of(policy.Project).Without(policy), new StateTransaction().Delete(StateKeys.NetworkPolicy(policy.Project, policy.Name)));

    public PolicyChange Put(string project, ProjectNetworking settings) => new(project, Of(project).With(settings),
        new StateTransaction().Put(StateKeys.NetworkingOf(project), JsonSerializer.SerializeToUtf8Bytes(settings, ControllerJson.Default.ProjectNetworking)));

    /// <summary>Records a change.</summary>
    public async Task CommitAsync(PolicyChange change, CancellationToken cancellationToken)
    {
        await store.CommitAsync(change.Transaction, cancellationToken);
        _projects[change.Project] = change.Next;
    }

    private string SegmentOf(string project, string name) => networks.Of(project).FirstOrDefault(n => n.Network.Name == name)?.Network.Id
        ?? throw new CandelaException(ErrorCode.NotFound, $"there is no segment {name}");

    private static void CheckCount(int had, bool isReplaced, int most, string what)
    {
        if (had >= most && !isReplaced)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"a project has at most {most} {what}: remove some first");
    }

    private async Task ReadAsync<T>(string prefix, JsonTypeInfo<T> type, Action<string, T> take, CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            StatePage page = await store.RangeAsync(prefix, after, StateLimits.PageCount, cancellationToken);
            foreach (StateEntry entry in page.Entries)
                take(entry.Key, JsonSerializer.Deserialize(entry.Value.Span, type) ?? throw new CandelaException(ErrorCode.Internal, $"the state store has an empty document at {entry.Key}"));
            after = page.Next;
        }
        while (after is not null);
    }
}
