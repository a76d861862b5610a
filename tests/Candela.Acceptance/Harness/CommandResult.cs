namespace Candela.Acceptance.Harness;

/// <summary>What a command did.</summary>
/// <param name="ExitCode">Exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>Standard output without the newline at its end, of a command that must have succeeded.</summary>
    public string Text
    {
        get
        {
            Assert.True(ExitCode == 0, $"{Command} failed: {this}");
            return Output.TrimEnd('\n');
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"exit code {ExitCode}\nstandard output: {Output.Truncate(4000)}\nstandard error: {Error.Truncate(4000)}";

    /// <summary>Lines of <see cref="Text"/>.</summary>
    public string[] Lines => Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The command line, for messages.</summary>
    public string Command { get; init; } = "";
}
