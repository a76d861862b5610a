namespace Candela.Cli.CommandLine;

/// <summary>What completion offers for a value.</summary>
internal enum Completes
{
    Nothing,
    Files,
    Containers,
    RunningContainers,
    Images,
    Parents,
    Segments,
    SecurityGroups,
    NetworkPolicies,
    Contexts,
    Domains,
    Users,
    ServiceAccounts,
    Groups,
    Roles,
    Clients,
    Words,
}

/// <summary>An option of a command: <c>--name</c>, perhaps <c>-n</c>, a flag unless it has a value.</summary>
internal sealed record Option(string Name, string Help)
{
    /// <summary>One-letter form; <c>'\0'</c>: none.</summary>
    public char Letter { get; init; }

    /// <summary>Placeholder of the value in the help; null: a flag.</summary>
    public string? Value { get; init; }

    /// <summary>May be given more than once.</summary>
    public bool Repeatable { get; init; }

    /// <summary>What completion offers for the value.</summary>
    public Completes Completes { get; init; }

    /// <summary>The values, when they are few and known.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    public bool IsFlag => Value is null;

    public override string ToString() => "--" + Name;
}
