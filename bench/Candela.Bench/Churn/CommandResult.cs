namespace Candela.Bench.Churn;

/// <summary>How a command of the docker client ended.</summary>
/// <param name="ExitCode">Exit code; -1: it did not end in time.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Killed">It was killed on purpose.</param>
internal sealed record CommandResult(int ExitCode, string Output, string Error, bool Killed)
{
    public bool Hung => ExitCode == -1;

    public bool Succeeded => ExitCode == 0;

    /// <summary>The daemon says that there is no such container.</summary>
    public bool NotFound => Error.Contains("No such", StringComparison.OrdinalIgnoreCase);

    public override string ToString() => (Hung ? "hung" : $"exit code {ExitCode}") + $" output '{Output.Trim()}' error '{Error.Trim()}'";
}
