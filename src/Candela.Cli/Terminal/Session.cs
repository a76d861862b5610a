using System.Net.Sockets;
using System.Runtime.InteropServices;
using Candela.Cli.Http;

namespace Candela.Cli.Terminal;

/// <summary>How a session ended.</summary>
/// <param name="ExitCode">Exit code of the process; null when it is not known (detached, or the stream ended without it).</param>
/// <param name="Detached">The user left; the process goes on.</param>
internal readonly record struct SessionEnd(int? ExitCode, bool Detached);

/// <summary>
/// Joins this program's standard streams and terminal with a process in a container: output to where it belongs, input,
/// window size and signals the other way.
/// </summary>
internal sealed class Session(StreamConnection stream)
{
    private const int InputBufferBytes = 64 * 1024;

    private volatile bool detached;

    /// <summary>The process has a terminal.</summary>
    public bool Tty { get; init; }

    /// <summary>Feed standard input.</summary>
    public bool Stdin { get; init; }

    public string DetachKeySequence { get; init; } = DetachKeys.Default;

    /// <summary>Sends a signal that this program got on to the process; null: signals keep their meaning here.</summary>
    public Action<string>? ForwardSignal { get; init; }

    /// <summary>Called when signals are forwarded: those that came before can be handed over.</summary>
    public Action? SignalsTaken { get; init; }

    public SessionEnd Run()
    {
        bool raw = Tty && Stdin && StandardStream.Input.IsTerminal;
        using var mode = raw ? RawMode.Enter() : null;
        using var signals = new SignalSet();
        if (Tty)
        {
            SendWindowSize();
            signals.Add(SignalSet.WindowChanged, _ => SendWindowSize());
        }
        if (ForwardSignal is not null)
            Forward(signals);
        SignalsTaken?.Invoke();
        if (Stdin)
            new Thread(() => PumpInput(raw)) { IsBackground = true, Name = "standard input" }.Start();
        return PumpOutput();
    }

    private SessionEnd PumpOutput()
    {
        int? exitCode = null;
        try
        {
            while (stream.TryRead(out var kind, out var data))
            {
                switch (kind)
                {
                    case FrameKind.Stdout:
                        StandardStream.Output.Write(data);
                        break;
                    case FrameKind.Stderr:
                        StandardStream.Error.Write(data);
                        break;
                    case FrameKind.Exit:
                        exitCode = StreamConnection.ReadExitCode(data);
                        break;
                    case FrameKind.Error:
                        throw new ApiException(500, "", StreamConnection.ReadText(data));
                }
            }
        }
        catch (Exception exception) when (detached && exception is SocketException or EndOfStreamException)
        {
            // The connection was shut down to detach.
        }
        return new SessionEnd(exitCode, detached);
    }

    private void PumpInput(bool raw)
    {
        var detach = raw ? DetachKeys.Parse(DetachKeySequence) : null;
        byte[] buffer = new byte[InputBufferBytes];
        byte[] filtered = new byte[InputBufferBytes + (detach?.Length ?? 0)];
        try
        {
            while (true)
            {
                int count = StandardStream.Input.Read(buffer);
                if (count == 0)
                {
                    stream.Write(FrameKind.StdinClose, default);
                    return;
                }
                if (detach is null)
                {
                    stream.Write(FrameKind.Stdin, buffer.AsSpan(0, count));
                    continue;
                }
                var (kept, leave) = detach.Filter(buffer.AsSpan(0, count), filtered);
                if (kept > 0)
                    stream.Write(FrameKind.Stdin, filtered.AsSpan(0, kept));
                if (leave)
                {
                    detached = true;
                    stream.Shutdown();
                    return;
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The process ended; the other thread knows how.
        }
        catch (StandardStreamException)
        {
            // The terminal is gone (a hang-up): like the end of input.
            TryCloseInput();
        }
    }

    private void TryCloseInput()
    {
        try
        {
            stream.Write(FrameKind.StdinClose, default);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // As above.
        }
    }

    private void SendWindowSize()
    {
        if (RawMode.WindowSize() is not { } size)
            return;
        try
        {
            stream.WriteResize(size.Rows, size.Columns);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The process ended.
        }
    }

    private void Forward(SignalSet signals)
    {
        foreach (var (signal, name) in SignalSet.Forwarded)
        {
            int count = 0;
            signals.Add(signal, context =>
            {
                // The third time this program obeys itself: a process that ignores signals must not hold the user.
                if (signal == PosixSignal.SIGINT && Interlocked.Increment(ref count) > 2)
                    return;
                context.Cancel = true;
                ForwardSignal!(name);
            });
        }
    }
}
