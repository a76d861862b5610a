using System.Diagnostics;

namespace Candela.Identity.Tests.Tools;

/// <summary>Runs a program to its end.</summary>
public static class Tool
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    public static Task<(int ExitCode, string Output)> TryRunAsync(string program, string? folder, params string[] arguments) => TryRunAsync(program, folder, [], arguments);

    /// <summary>Runs it with more environment variables, and with standard input.</summary>
    public static async Task<(int ExitCode, string Output)> TryRunAsync(string program, string? folder, (string Name, string Value)[] environment, string[] arguments, string? input = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It did not want to read it.
        }

        using var ending = new CancellationTokenSource(Deadline);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(ending.Token);
            var errors = process.StandardError.ReadToEndAsync(ending.Token);
            await process.WaitForExitAsync(ending.Token);
            return (process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {Deadline}");
        }
    }

    /// <summary>Standard output and error; fails unless the exit code is 0.</summary>
    public static async Task<string> RunAsync(string program, string? folder, params string[] arguments)
    {
        var (exitCode, output) = await TryRunAsync(program, folder, arguments);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {exitCode}\n{output}");
        return output;
    }

    public static Task<string> OpenSslAsync(string? folder, params string[] arguments) => RunAsync("openssl", folder, arguments);
}
