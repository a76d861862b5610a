using System.Collections.Immutable;
using Candela.Network.Plan;

namespace Candela.Controller.Networks.Policies;

/// <summary>
/// Workload identities as groups of the plan: each port has a label that only the platform gives, and the group of an identity selects it.
/// </summary>
internal static class WorkloadGroups
{
    /// <summary>Names all workloads of a project.</summary>
    public const string All = "*";

    // No user's label begins so, and no group's name has a colon.
    private const char Reserved = '\0';
    private const string NameLabel = "\0workload";
    private const string IdPrefix = "workload:";

    /// <summary>Id of the group of an identity.</summary>
    /// <param name="name">The container's name, or <see cref="All"/>.</param>
    public static string IdOf(string name) => IdPrefix + name;

    /// <summary>The group of an identity.</summary>
    public static SecurityGroup Of(string name) => new()
    {
        Id = IdOf(name),
        Labels = name == All ? ImmutableDictionary<string, string>.Empty : ImmutableDictionary<string, string>.Empty.Add(NameLabel, name),
    };

    /// <summary>Labels of the port of a container.</summary>
    /// <param name="name">The container's name, which is that of its identity.</param>
    /// <param name="labels">Its user's labels.</param>
    public static ImmutableDictionary<string, string> Label(string name, IReadOnlyDictionary<string, string> labels) =>
        labels.Where(l => !l.Key.StartsWith(Reserved)).ToImmutableDictionary().SetItem(NameLabel, name);
}
