using System.Diagnostics;
using System.Text;

namespace Candela.Acceptance.Harness;

/// <summary>A client program that runs; its streams are pipes. Killed when disposed.</summary>
public sealed class RunningCommand : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _error;
    private Task<string>? _output;

    /// <summary>Starts a program.</summary>
    public RunningCommand(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        CommandLine = string.Join(' ', [Path.GetFileName(program), .. start.ArgumentList]);
        _process = Process.Start(start)!;
        _error = Task.Run(_process.StandardError.ReadToEndAsync);
    }

    /// <summary>For messages.</summary>
    public string CommandLine { get; }

    /// <summary>Standard input.</summary>
    public Stream Input => _process.StandardInput.BaseStream;

    /// <summary>Standard output, to be read as bytes; not together with lines or <see cref="FinishAsync"/>.</summary>
    public Stream Output => _process.StandardOutput.BaseStream;

    /// <summary>Process id.</summary>
    public int Pid => _process.Id;

    /// <summary>Next line of standard output; null at its end.</summary>
    public async Task<string?> ReadLineAsync(TimeSpan? deadline = null)
        => await _process.StandardOutput.ReadLineAsync().WaitAsync(deadline ?? Deadlines.Command);

    /// <summary>Reads lines until one contains a text.</summary>
    /// <returns>That line.</returns>
    public async Task<string> ReadUntilAsync(string text)
    {
        var before = new StringBuilder();
        while (await ReadLineAsync() is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
                return line;
            before.AppendLine(line);
        }

        Assert.Fail($"{CommandLine} ended without \"{text}\"; before: {before}; standard error: {await _error}");
        return "";
    }

    /// <summary>Ends standard input.</summary>
    public void CloseInput()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It no longer reads.
        }
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Ends standard input and waits for the end; what was not read yet is the result's output.</summary>
    public async Task<CommandResult> FinishAsync(TimeSpan? deadline = null)
    {
        CloseInput();
        return await EndAsync(deadline);
    }

    /// <summary>Waits for the end, standard input left open.</summary>
    public async Task<CommandResult> EndAsync(TimeSpan? deadline = null)
    {
        _output ??= Task.Run(_process.StandardOutput.ReadToEndAsync);
        using var limit = new CancellationTokenSource(deadline ?? Deadlines.Command);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return new CommandResult(_process.ExitCode, await _output.WaitAsync(limit.Token), await _error.WaitAsync(limit.Token)) { Command = CommandLine };
        }
        catch (OperationCanceledException)
        {
            if (!_process.HasExited)
                _process.Kill();
            throw new TimeoutException($"{CommandLine} did not end in time; output: {Tail(await _output.WaitAsync(Deadlines.Command))}; standard error: {Tail(await _error.WaitAsync(Deadlines.Command))}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    private static string Tail(string text) => text.Length > 1000 ? text[^1000..] : text;
}
