using Candela.Controller.Events;
using Candela.Controller.Storage;
using Candela.Model;
using Candela.Model.Networking;

namespace Candela.Controller.Networks.Policies;

/// <summary>Groups and policies: checked, carried out on the machine, recorded, in this order.</summary>
internal sealed class NetworkPolicyService(PolicyTable table, NetworkService networks, ProjectTable projects, EventLog events, TimeProvider time) : INetworkPolicyService
{
    public Task<IReadOnlyList<SecurityGroup>> ListGroupsAsync(Caller caller, CancellationToken cancellationToken) =>
        networks.UnderGateAsync(() => Read<IReadOnlyList<SecurityGroup>>(caller, () => [.. table.Of(caller.Project).Groups.Values]), cancellationToken);

    public Task<SecurityGroup> GetGroupAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        networks.UnderGateAsync(() => Read(caller, () => table.Group(caller.Project, name)), cancellationToken);

    public Task<SecurityGroup> CreateGroupAsync(Caller caller, SecurityGroupSpec spec, CancellationToken cancellationToken) => networks.UnderGateAsync(async () =>
    {
        projects.Check(caller.Project);
        PolicyCheck.Check(spec);
        if (table.Of(caller.Project).Groups.ContainsKey(spec.Name))
            throw new CandelaException(ErrorCode.AlreadyExists, $"there is a security group {spec.Name} already");
        var group = new SecurityGroup { Name = spec.Name, Project = caller.Project, Description = spec.Description, Labels = spec.Labels, CreatedAt = time.GetUtcNow(), Revision = 1 };
        await MakeAsync(table.Put(group), "security-group", "create", group.Name);
        return group;
    }, cancellationToken);

    public Task<SecurityGroup> ReplaceGroupAsync(Caller caller, SecurityGroupSpec spec, CancellationToken cancellationToken) => networks.UnderGateAsync(async () =>
    {
        projects.Check(caller.Project);
        SecurityGroup former = table.Group(caller.Project, spec.Name);
        CheckRevision(spec.Revision, former.Revision, $"security group {spec.Name}");
        PolicyCheck.Check(spec);
        SecurityGroup group = former with { Description = spec.Description, Labels = spec.Labels, Revision = former.Revision + 1 };
        await MakeAsync(table.Put(group), "security-group", "update", group.Name);
        return group;
    }, cancellationToken);

    public Task RemoveGroupAsync(Caller caller, string name, CancellationToken cancellationToken) => networks.UnderGateAsync(async () =>
    {
        projects.Check(caller.Project);
        await MakeAsync(table.Delete(table.Group(caller.Project, name)), "security-group", "destroy", name);
        return true;
    }, cancellationToken);

    public Task<IReadOnlyList<string>> ListMembersAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        networks.UnderGateAsync(() => Read(caller, () =>
        {
            SecurityGroup group = table.Group(caller.Project, name);
            return networks.ContainersOf(caller.Project, RuleCompiler.Compile(group));
        }), cancellationToken);

    public Task<IReadOnlyList<NetworkPolicy>> ListPoliciesAsync(Caller caller, CancellationToken cancellationToken) =>
        networks.UnderGateAsync(() => Read<IReadOnlyList<NetworkPolicy>>(caller, () =>
            [.. table.Of(caller.Project).Policies.Values.OrderBy(p => p.Direction).ThenBy(p => p.Priority).ThenBy(p => p.Action == NetworkPolicyAction.Deny ? 0 : 1).ThenBy(p => p.Name, StringComparer.Ordinal)]), cancellationToken);

    public Task<NetworkPolicy> GetPolicyAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        networks.UnderGateAsync(() => Read(caller, () => table.Policy(caller.Project, name)), cancellationToken);

    public Task<NetworkPolicy> CreatePolicyAsync(Caller caller, NetworkPolicySpec spec, CancellationToken cancellationToken) => networks.UnderGateAsync(async () =>
    {
        projects.Check(caller.Project);
        PolicyCheck.Check(spec, caller.Project);
        if (table.Of(caller.Project).Policies.ContainsKey(spec.Name))
            throw new CandelaException(ErrorCode.AlreadyExists, $"there is a network policy {spec.Name} already");
        NetworkPolicy policy = Described(spec, caller.Project, time.GetUtcNow(), 1);
        await MakeAsync(table.Put(policy), "network-policy", "create", policy.Name);
        return policy;
    }, cancellationToken);

    public Task<NetworkPolicy> ReplacePolicyAsync(Caller caller, NetworkPolicySpec spec, CancellationToken cancellationToken) => networks.UnderGateAsync(async () =>
    {
        projects.Check(caller.Project);
        NetworkPolicy former = table.Policy(caller.Project, spec.Name);
        CheckRevision(spec.Revision, former.Revision, $"network policy {spec.Name}");
        PolicyCheck.Check(spec, caller.Project);
        NetworkPolicy policy = Described(spec, caller.Project, former.CreatedAt, former.Revision + 1);
        await MakeAsync(table.Put(policy), "network-policy", "update", policy.Name);
        return policy;
    }, cancellationToken);

    public Task RemovePolicyAsync(Caller caller, string name, CancellationToken cancellationToken) => networks.UnderGateAsync(async () =>
    {
        projects.Check(caller.Project);
        await MakeAsync(table.Delete(table.Policy(caller.Project, name)), "network-policy", "destroy", name);
        return true;
    }, cancellationToken);

    public Task<ProjectNetworking> GetSettingsAsync(Caller caller, CancellationToken cancellationToken) =>
        networks.UnderGateAsync(() => Read(caller, () => table.Of(caller.Project).Settings), cancellationToken);

    public Task<ProjectNetworking> SetSettingsAsync(Caller caller, ProjectNetworking settings, CancellationToken cancellationToken) => networks.UnderGateAsync(async () =>
    {
        projects.Check(caller.Project);
        await MakeAsync(table.Put(caller.Project, settings), "network-policy", "default", settings.Default.ToString());
        return settings;
    }, cancellationToken);

    private Task<T> Read<T>(Caller caller, Func<T> read)
    {
        projects.Check(caller.Project);
        return Task.FromResult(read());
    }

    // The machine first: what the kernel refuses is not recorded. What cannot be recorded is taken back.
    private async Task MakeAsync(PolicyChange change, string kind, string action, string name)
    {
        ProjectRules former = table.Of(change.Project).Rules;
        await networks.ApplyRulesAsync(change.Project, change.Next.Rules);
        try
        {
            await table.CommitAsync(change, CancellationToken.None);
        }
        catch
        {
            await networks.ApplyRulesAsync(change.Project, former);
            throw;
        }

        events.Add(change.Project, kind, action, name, new Dictionary<string, string> { ["name"] = name });
    }

    private static NetworkPolicy Described(NetworkPolicySpec spec, string project, DateTimeOffset createdAt, long revision) => new()
    {
        Name = spec.Name,
        Project = project,
        Description = spec.Description,
        Direction = spec.Direction,
        Action = spec.Action,
        Priority = spec.Priority,
        Subjects = spec.Subjects,
        Peers = spec.Peers,
        Services = spec.Services,
        Logged = spec.Logged,
        CreatedAt = createdAt,
        Revision = revision,
    };

    private static void CheckRevision(long? asked, long had, string what)
    {
        if (asked is { } revision && revision != had)
            throw new CandelaException(ErrorCode.Conflict, $"{what} has revision {had}, not {revision}: it was changed meanwhile, look at it again");
    }
}
