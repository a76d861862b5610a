namespace Candela.Build.Dockerfiles;

/// <summary>A here-document of an instruction.</summary>
/// <param name="Name">Its delimiter.</param>
/// <param name="Content">Its lines.</param>
/// <param name="Expands">Variables in it are replaced: the delimiter was not quoted.</param>
internal sealed record Heredoc(string Name, string Content, bool Expands);

/// <summary>An instruction of a Dockerfile.</summary>
internal sealed record Instruction
{
    /// <summary>First line, from 1.</summary>
    public required int Line { get; init; }

    /// <summary>Keyword, upper case.</summary>
    public required string Keyword { get; init; }

    /// <summary>Its text, continued lines put together.</summary>
    public required string Text { get; init; }

    /// <summary>What follows the keyword and the flags.</summary>
    public required string Arguments { get; init; }

    /// <summary>Flags (<c>--name=value</c>), in their order.</summary>
    public IReadOnlyList<(string Name, string Value)> Flags { get; init; } = [];

    /// <summary>Its here-documents.</summary>
    public IReadOnlyList<Heredoc> Heredocs { get; init; } = [];

    /// <summary>Value of a flag, or null.</summary>
    public string? Flag(string name) => Flags.LastOrDefault(flag => flag.Name == name) is { Name: not null } found ? found.Value : null;
}

/// <summary>A Dockerfile.</summary>
/// <param name="Instructions">Its instructions, in order.</param>
/// <param name="Escape">Its escape character.</param>
internal sealed record Dockerfile(IReadOnlyList<Instruction> Instructions, char Escape);
