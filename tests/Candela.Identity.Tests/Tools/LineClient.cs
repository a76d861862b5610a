using System.Diagnostics;

namespace Candela.Identity.Tests.Tools;

/// <summary>A program that runs beside the test and says something a line.</summary>
public sealed class LineClient : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    public LineClient(string program, string folder, string[] arguments)
    {
        _process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.BeginErrorReadLine();
    }

    public async Task<string> ReadLineAsync()
    {
        using var ending = new CancellationTokenSource(Deadline);
        return await _process.StandardOutput.ReadLineAsync(ending.Token) ?? throw new EndOfStreamException("the program has ended");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
