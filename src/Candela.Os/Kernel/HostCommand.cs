using System.ComponentModel;
using System.Diagnostics;
using Candela.Model;

namespace Candela.Os.Kernel;

/// <summary>Runs a program of the host to its end.</summary>
internal static class HostCommand
{
    /// <summary>Longest part of a program's error output that a message repeats, characters.</summary>
    private const int MessageLength = 2000;

    /// <summary>Exit code and output of a program.</summary>
    public sealed record Result(int ExitCode, string Output, string Errors)
    {
        /// <summary>The end of the error output, for messages.</summary>
        public string Reason => Errors.Length <= MessageLength ? Errors.Trim() : Errors[^MessageLength..].Trim();
    }

    /// <summary>Runs a program in a folder; on cancellation it is killed with its children.</summary>
    /// <exception cref="CandelaException">NotSupported: there is no such program. DeadlineExceeded: it did not end in time.</exception>
    public static async Task<Result> RunAsync(string program, IEnumerable<string> arguments, string folder, TimeSpan timeout, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        using Process process = new() { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            throw new CandelaException(ErrorCode.NotSupported, $"cannot run {program}, which making the guest needs: {e.Message}; Candela needs a Debian host with apt and dpkg-deb", e);
        }

        process.StandardInput.Close();
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(deadline.Token);
            await Task.WhenAll(output, errors);
            await process.WaitForExitAsync(deadline.Token);
            return new Result(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            cancellationToken.ThrowIfCancellationRequested();
            throw new CandelaException(ErrorCode.DeadlineExceeded, $"{program} did not end within {timeout.TotalSeconds:0} s");
        }
    }
}
