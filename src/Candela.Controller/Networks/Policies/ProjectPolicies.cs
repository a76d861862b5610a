using System.Collections.Immutable;
using Candela.Model.Networking;

namespace Candela.Controller.Networks.Policies;

/// <summary>Groups, policies and settings of a project, and what they are in the plan. A value.</summary>
internal sealed record ProjectPolicies
{
    public static readonly ProjectPolicies Empty = new();

    public ImmutableSortedDictionary<string, SecurityGroup> Groups { get; private init; } = ImmutableSortedDictionary.Create<string, SecurityGroup>(StringComparer.Ordinal);

    public ImmutableSortedDictionary<string, NetworkPolicy> Policies { get; private init; } = ImmutableSortedDictionary.Create<string, NetworkPolicy>(StringComparer.Ordinal);

    public ProjectNetworking Settings { get; private init; } = new() { Default = NetworkDefault.Open };

    public ProjectRules Rules { get; private init; } = ProjectRules.None;

    public ProjectPolicies With(SecurityGroup group) => this with
    {
        Groups = Groups.SetItem(group.Name, group),
        Rules = Rules with { Groups = Rules.Groups.SetItem(group.Name, RuleCompiler.Compile(group)) },
    };

    public ProjectPolicies Without(SecurityGroup group) => this with
    {
        Groups = Groups.Remove(group.Name),
        Rules = Rules with { Groups = Rules.Groups.Remove(group.Name) },
    };

    /// <param name="policy">The policy.</param>
    /// <param name="segmentOf">Id of a segment, by name.</param>
    public ProjectPolicies With(NetworkPolicy policy, Func<string, string> segmentOf) => (this with
    {
        Policies = Policies.SetItem(policy.Name, policy),
        Rules = Rules with { Policies = Rules.Policies.SetItem(policy.Name, RuleCompiler.Compile(policy, segmentOf)) },
    }).WithWorkloads(Policies.GetValueOrDefault(policy.Name), policy);

    public ProjectPolicies Without(NetworkPolicy policy) => (this with
    {
        Policies = Policies.Remove(policy.Name),
        Rules = Rules with { Policies = Rules.Policies.Remove(policy.Name) },
    }).WithWorkloads(policy, null);

    public ProjectPolicies With(ProjectNetworking settings) => this with
    {
        Settings = settings,
        Rules = Rules with
        {
            Stance = settings.Default == NetworkDefault.Closed ? Network.Plan.DefaultStance.Closed : Network.Plan.DefaultStance.Open,
            HasHostAccess = settings.HostAccess,
        },
    };

    // Groups of workloads are there as long as some policy speaks of them.
    private ProjectPolicies WithWorkloads(NetworkPolicy? former, NetworkPolicy? policy)
    {
        string[] gone = former is null ? [] : [.. RuleCompiler.WorkloadsOf(former)], come = policy is null ? [] : [.. RuleCompiler.WorkloadsOf(policy)];
        if (gone.Length == 0 && come.Length == 0)
            return this;
        ImmutableDictionary<string, Network.Plan.SecurityGroup>.Builder groups = Rules.Groups.ToBuilder();
        foreach (string name in come.Where(n => !groups.ContainsKey(WorkloadGroups.IdOf(n))))
            groups.Add(WorkloadGroups.IdOf(name), WorkloadGroups.Of(name));
        HashSet<string> used = [.. Policies.Values.SelectMany(RuleCompiler.WorkloadsOf)];
        groups.RemoveRange(gone.Where(n => !used.Contains(n)).Select(WorkloadGroups.IdOf));
        return this with { Rules = Rules with { Groups = groups.ToImmutable() } };
    }
}
