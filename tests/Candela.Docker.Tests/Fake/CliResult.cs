namespace Candela.Docker.Tests.Fake;

/// <summary>What the CLI did.</summary>
internal sealed record CliResult(int ExitCode, string Output, string Error);
