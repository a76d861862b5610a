using System.Diagnostics;
using System.Runtime.InteropServices;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Tests.Shared;

/// <summary>A process of this machine in the place of a container's, with pipes or a terminal.</summary>
internal sealed partial class HostProcess : IDisposable
{
    private const int O_RDWR = 2;
    private const int O_NOCTTY = 0x100;
    private const int O_CLOEXEC = 0x80000;
    private const ulong TIOCSWINSZ = 0x5414;

    private readonly Process _process;
    private readonly SafeFileHandle? _terminal;
    private readonly Stream _input;
    private SafeFileHandle? _slave;
    private int _disposed;

    private HostProcess(Process process, SafeFileHandle? terminal, Stream input) => (_process, _terminal, _input) = (process, terminal, input);

    public int Pid => _process.Id;

    /// <summary>Starts; throws as the real service would when there is no such program.</summary>
    public static HostProcess Start(ProcessConfiguration configuration, (ushort Rows, ushort Columns)? size)
    {
        CheckProgram(configuration.Arguments[0]);
        var start = new ProcessStartInfo { UseShellExecute = false, WorkingDirectory = configuration.WorkingDirectory };
        foreach (var variable in configuration.Environment)
        {
            var equals = variable.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                start.Environment[variable[..equals]] = variable[(equals + 1)..];
        }

        if (!configuration.Tty)
        {
            start.FileName = configuration.Arguments[0];
            foreach (var argument in configuration.Arguments.Skip(1))
                start.ArgumentList.Add(argument);
            start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
            var piped = Process.Start(start)!;
            if (!configuration.OpenStdin)
                piped.StandardInput.Close();
            return new HostProcess(piped, null, piped.StandardInput.BaseStream);
        }

        var terminal = new SafeFileHandle(PosixOpenPt(O_RDWR | O_NOCTTY | O_CLOEXEC), ownsHandle: true);
        var fd = (int)terminal.DangerousGetHandle();
        if (fd < 0 || GrantPt(fd) != 0 || UnlockPt(fd) != 0)
            throw new InvalidOperationException("no pseudo terminal");
        var name = new byte[64];
        if (PtsName(fd, name, name.Length) != 0)
            throw new InvalidOperationException("no pseudo terminal");
        var path = System.Text.Encoding.ASCII.GetString(name).TrimEnd('\0');
        SetSize(fd, size ?? (24, 80));
        start.FileName = "/bin/sh";
        foreach (var argument in (string[])["-c", $"exec setsid -c \"$@\" 0<>{path} 1>&0 2>&0", "sh"])
            start.ArgumentList.Add(argument);
        foreach (var argument in configuration.Arguments)
            start.ArgumentList.Add(argument);
        // Held open while the process lives: reading would end when nobody has it open, as before the child has opened it.
        var slave = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var process = Process.Start(start)!;
        var stream = new FileStream(terminal, FileAccess.ReadWrite, bufferSize: 0, isAsync: false);
        return new HostProcess(process, terminal, stream) { _slave = slave };
    }

    /// <summary>Carries output to the sink until it has ended; gives the exit code.</summary>
    public async Task<int> RunAsync(Func<bool, ReadOnlyMemory<byte>, Task> sink)
    {
        if (_terminal is null)
        {
            await Task.WhenAll(
                PumpAsync(_process.StandardOutput.BaseStream, isStderr: false, sink),
                PumpAsync(_process.StandardError.BaseStream, isStderr: true, sink));
        }
        else
        {
            var pumping = Task.Factory.StartNew(() => PumpAsync(_input, isStderr: false, sink), TaskCreationOptions.LongRunning).Unwrap();
            await _process.WaitForExitAsync();
            _slave?.Dispose();
            await pumping;
        }

        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data)
    {
        try
        {
            await _input.WriteAsync(data);
            await _input.FlushAsync();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It no longer reads.
        }
    }

    public void CloseInput()
    {
        try
        {
            if (_terminal is null)
                _input.Dispose();
        }
        catch (IOException)
        {
            // It no longer reads.
        }
    }

    public void Resize(ushort rows, ushort columns)
    {
        if (_terminal is { IsClosed: false })
            SetSize((int)_terminal.DangerousGetHandle(), (rows, columns));
    }

    public void Signal(int signal) => _ = Kill(_process.Id, signal);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
        _slave?.Dispose();
        _input.Dispose();
    }

    private static async Task PumpAsync(Stream stream, bool isStderr, Func<bool, ReadOnlyMemory<byte>, Task> sink)
    {
        while (true)
        {
            var buffer = new byte[32 * 1024];
            int count;
            try
            {
                count = await stream.ReadAsync(buffer);
            }
            catch (IOException)
            {
                return; // EIO: the terminal's last user has gone
            }

            if (count == 0)
                return;
            await sink(isStderr, buffer.AsMemory(0, count));
        }
    }

    private static void CheckProgram(string program)
    {
        var candidates = program.Contains('/', StringComparison.Ordinal)
            ? [program]
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, program));
        var found = candidates.FirstOrDefault(File.Exists) ?? throw new CandelaException(ErrorCode.CommandNotFound, $"There is no {program} in the image.");
        if ((File.GetUnixFileMode(found) & UnixFileMode.UserExecute) == 0)
            throw new CandelaException(ErrorCode.CommandNotExecutable, $"{program} may not be executed.");
    }

    private static void SetSize(int fd, (ushort Rows, ushort Columns) size)
    {
        ushort[] winsize = [size.Rows, size.Columns, 0, 0];
        _ = IoCtl(fd, TIOCSWINSZ, winsize);
    }

    [LibraryImport("libc", EntryPoint = "posix_openpt")]
    private static partial int PosixOpenPt(int flags);

    [LibraryImport("libc", EntryPoint = "grantpt")]
    private static partial int GrantPt(int fd);

    [LibraryImport("libc", EntryPoint = "unlockpt")]
    private static partial int UnlockPt(int fd);

    [LibraryImport("libc", EntryPoint = "ptsname_r")]
    private static partial int PtsName(int fd, [Out] byte[] name, nint length);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int IoCtl(int fd, ulong request, [In] ushort[] winsize);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
