using System.Diagnostics;
using System.Globalization;
using System.Text;
using Candela.Images.Storage;
using Candela.Model;

namespace Candela.Images.BlockImages;

/// <summary>
/// sqfstar, which turns the tar on its standard input into squashfs. It parses strangers' data, so it runs as a user that owns
/// nothing but the output file, which it gets as an open file: it need not reach any folder of the store.
/// </summary>
internal sealed class SquashfsProcess : IDisposable
{
    // Uncompressed: reading costs an emulated guest no decompression. No fragments: a small file is read by itself, not with 128 KiB of others.
    private const string Script =
        """
        exec 3<>"$0"; ulimit -c 0; ulimit -n 64
        exec setpriv --reuid "$1" --regid "$2" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
            sqfstar -force -noI -noD -noF -noX -no-fragments -no-progress -quiet -exit-on-error -mkfs-time 0 -processors 1 -mem 256M -root-mode "$3" /proc/self/fd/3
        """;

    private const int MessageLength = 2000;

    // sh(1)
    private const int NotExecutable = 126;
    private const int NotFound = 127;

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly Task<string> _output;
    private readonly CancellationTokenRegistration _kill;

    /// <summary>Starts it.</summary>
    /// <param name="outputPath">An empty file, owned by the user.</param>
    /// <param name="user">User to run as.</param>
    /// <param name="group">Group to run as.</param>
    /// <param name="rootMode">Mode of the root folder.</param>
    /// <param name="cancellationToken">Kills it.</param>
    public SquashfsProcess(string outputPath, uint user, uint group, int rootMode, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new("/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (string argument in (string[])["-c", Script, outputPath, Text(user), Text(group), "0" + Convert.ToString(rootMode, 8)])
            start.ArgumentList.Add(argument);
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["LC_ALL"] = "C";
        _process = Process.Start(start) ?? throw new CandelaException(ErrorCode.Internal, "cannot start /bin/sh");
        _errors = DrainAsync(_process.StandardError);
        _output = DrainAsync(_process.StandardOutput);
        _kill = cancellationToken.Register(Kill);
    }

    /// <summary>Takes the tar.</summary>
    public Stream Input => _process.StandardInput.BaseStream;

    /// <summary>Ends the input and waits until the file system is written.</summary>
    /// <exception cref="CandelaException">ResourceExhausted when the disk is full, Unavailable when sqfstar is missing, Internal when it fails otherwise.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already; its exit code says why.
        }

        await _process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        string errors = await _errors.ConfigureAwait(false) + await _output.ConfigureAwait(false);
        if (_process.ExitCode == 0)
            return;
        if (errors.Contains("No space left on device", StringComparison.Ordinal) || errors.Contains("Disk quota exceeded", StringComparison.Ordinal))
            throw LinuxFile.DiskFull("the image store");
        if (_process.ExitCode is NotExecutable or NotFound)
            throw new CandelaException(ErrorCode.Unavailable, $"images need sqfstar (package squashfs-tools, 4.5 or later) and setpriv (util-linux): {errors.Trim()}");
        throw new CandelaException(ErrorCode.Internal, $"sqfstar (package squashfs-tools) failed with exit code {_process.ExitCode}: {errors.Trim()}");
    }

    public void Dispose()
    {
        _kill.Dispose();
        Kill();
        _process.Dispose();
    }

    private void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }

    private static async Task<string> DrainAsync(StreamReader reader)
    {
        StringBuilder text = new();
        char[] buffer = new char[1024];
        for (int read; (read = await reader.ReadAsync(buffer).ConfigureAwait(false)) > 0;)
        {
            if (text.Length < MessageLength)
                text.Append(buffer, 0, read);
        }

        return text.ToString();
    }

    private static string Text(uint value) => value.ToString(CultureInfo.InvariantCulture);
}
