using Candela.Cli.CommandLine;
using Candela.Model;

namespace Candela.Cli.Containers;

/// <summary>ps's filters: one key's values are alternatives, different keys must all hold; labels must all hold.</summary>
internal sealed class ContainerFilter
{
    private static readonly string[] Keys = ["name", "id", "status", "ancestor", "label", "exited", "forked-from"];

    private readonly List<(string Key, string Value)> conditions = [];

    /// <summary>States are chosen here, so that "running only" does not apply.</summary>
    public bool SelectsState => conditions.Exists(condition => condition.Key is "status" or "exited");

    public static ContainerFilter Parse(IReadOnlyList<string> texts)
    {
        var filter = new ContainerFilter();
        foreach (string text in texts)
        {
            string[] parts = text.Split('=', 2);
            if (parts.Length != 2 || !Keys.Contains(parts[0]))
                throw new UsageException($"--filter takes KEY=VALUE with one of {string.Join(", ", Keys)}, not '{text}'");
            if (parts[0] == "status" && !Enum.GetNames<ContainerState>().Contains(parts[1], StringComparer.OrdinalIgnoreCase))
                throw new UsageException($"invalid filter '{text}'");
            filter.conditions.Add((parts[0], parts[1]));
        }
        return filter;
    }

    /// <summary>Puts ids in the place of names of containers that others are forked from.</summary>
    public void ResolveNames(IReadOnlyCollection<Container> containers)
    {
        for (int i = 0; i < conditions.Count; i++)
        {
            if (conditions[i].Key == "forked-from" && containers.FirstOrDefault(container => container.Name == conditions[i].Value) is { } source)
                conditions[i] = ("forked-from", source.Id);
        }
    }

    public bool Matches(Container container) =>
        conditions.Where(condition => condition.Key == "label").All(condition => Matches(container, condition.Key, condition.Value)) &&
        conditions.Where(condition => condition.Key != "label").GroupBy(condition => condition.Key)
            .All(group => group.Any(condition => Matches(container, condition.Key, condition.Value)));

    private static bool Matches(Container container, string key, string value) => key switch
    {
        "name" => container.Name.Contains(value, StringComparison.Ordinal),
        "id" => container.Id.StartsWith(value, StringComparison.Ordinal),
        "status" => container.Status.State.ToString().Equals(value, StringComparison.OrdinalIgnoreCase),
        "ancestor" => container.Spec.Image == value || container.Spec.Image == value + ":latest" || container.ImageId.Replace("sha256:", "", StringComparison.Ordinal).StartsWith(value, StringComparison.Ordinal),
        "exited" => container.Status.State == ContainerState.Exited && container.Status.ExitCode.ToString(System.Globalization.CultureInfo.InvariantCulture) == value,
        "forked-from" => container.ForkedFrom?.StartsWith(value, StringComparison.Ordinal) ?? false,
        _ => value.Split('=', 2) is var pair && container.Spec.Labels.TryGetValue(pair[0], out string? label) && (pair.Length == 1 || pair[1] == label),
    };
}
