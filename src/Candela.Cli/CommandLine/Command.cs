namespace Candela.Cli.CommandLine;

/// <summary>A command, or a group of commands, with all that parser, help and completion need to know of it.</summary>
internal sealed class Command(string name, string summary)
{
    public string Name { get; } = name;

    /// <summary>One line for lists of commands.</summary>
    public string Summary { get; } = summary;

    /// <summary>Positional part of the usage line, for example <c>CONTAINER [CONTAINER...]</c>.</summary>
    public string Arguments { get; init; } = "";

    /// <summary>Fewest positional arguments.</summary>
    public int ArgumentsMinimum { get; init; }

    /// <summary>Most positional arguments.</summary>
    public int ArgumentsMaximum { get; init; } = int.MaxValue;

    /// <summary>
    /// Options end at the first positional argument, as with <c>docker run</c>: what follows belongs to the container.
    /// </summary>
    public bool OptionsEndAtFirstArgument { get; init; }

    /// <summary>What completion offers for positional arguments, in order; the last one repeats.</summary>
    public IReadOnlyList<Completes> ArgumentCompletes { get; init; } = [];

    public IReadOnlyList<Option> Options { get; init; } = [];

    /// <summary>Paragraphs of help after the summary.</summary>
    public string Description { get; init; } = "";

    /// <summary>Command lines, without the leading <c>candela</c>, with what they do.</summary>
    public IReadOnlyList<(string Line, string What)> Examples { get; init; } = [];

    public IReadOnlyList<Command> Subcommands { get; init; } = [];

    /// <summary>Other names, not listed in the help.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Left out of help and completion.</summary>
    public bool Hidden { get; init; }

    /// <summary>Does it; returns the exit code. Null for a group.</summary>
    public Func<Invocation, int>? Run { get; init; }

    public Command? Find(string name) =>
        Subcommands.FirstOrDefault(command => command.Name == name || command.Aliases.Contains(name));
}
