using System.Runtime.InteropServices;

namespace Candela.Cli.Terminal;

/// <summary>Signal handlers that are taken off again on dispose.</summary>
internal sealed class SignalSet : IDisposable
{
    /// <summary>Signals that go on to the container. Raw numbers: Linux, x86-64.</summary>
    public static readonly IReadOnlyList<(PosixSignal Signal, string Name)> Forwarded =
    [
        (PosixSignal.SIGINT, "INT"),
        (PosixSignal.SIGTERM, "TERM"),
        (PosixSignal.SIGHUP, "HUP"),
        (PosixSignal.SIGQUIT, "QUIT"),
        ((PosixSignal)10, "USR1"),
        ((PosixSignal)12, "USR2"),
    ];

    /// <summary>SIGWINCH.</summary>
    public const PosixSignal WindowChanged = (PosixSignal)28;

    private readonly List<PosixSignalRegistration> registrations = [];

    public void Add(PosixSignal signal, Action<PosixSignalContext> handler) =>
        registrations.Add(PosixSignalRegistration.Create(signal, handler));

    public void Dispose() => registrations.ForEach(registration => registration.Dispose());
}
