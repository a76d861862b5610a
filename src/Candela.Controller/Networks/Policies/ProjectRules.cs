using System.Collections.Immutable;
using Candela.Network.Plan;

namespace Candela.Controller.Networks.Policies;

/// <summary>What a project's groups, policies and settings are in the machine's plan.</summary>
internal sealed record ProjectRules
{
    public static readonly ProjectRules None = new();

    public ImmutableDictionary<string, SecurityGroup> Groups { get; init; } = ImmutableDictionary<string, SecurityGroup>.Empty;

    public ImmutableDictionary<string, Policy> Policies { get; init; } = ImmutableDictionary<string, Policy>.Empty;

    public DefaultStance Stance { get; init; } = DefaultStance.Open;

    public bool HasHostAccess { get; init; }

    /// <summary>The plan with these rules; parts that are the same stay the same objects, so that nothing is compiled in vain.</summary>
    public ProjectPlan ApplyTo(ProjectPlan plan) => plan with { Groups = Groups, Policies = Policies, Stance = Stance, HasHostAccess = HasHostAccess };
}
