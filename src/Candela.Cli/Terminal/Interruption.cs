using System.Runtime.InteropServices;

namespace Candela.Cli.Terminal;

/// <summary>
/// Keeps the signals that end this program until there is somebody to take them: while a container is being made nobody else could clean it up.
/// Until <see cref="Hold"/> they do what they always do.
/// </summary>
internal sealed class Interruption : IDisposable
{
    /// <summary>Shells' exit code of a program that a signal ended: this and the signal's number.</summary>
    public const int ExitBase = 128;

    private static readonly (PosixSignal Signal, int Number, string Name)[] Ending =
    [
        (PosixSignal.SIGINT, 2, "INT"),
        (PosixSignal.SIGTERM, 15, "TERM"),
        (PosixSignal.SIGHUP, 1, "HUP"),
    ];

    private readonly SignalSet signals = new();
    private readonly Lock state = new();
    private bool holding;
    private (int Number, string Name)? first;

    public Interruption()
    {
        foreach (var (signal, number, name) in Ending)
            signals.Add(signal, context => Take(context, number, name));
    }

    /// <summary>From now on signals are kept.</summary>
    public void Hold()
    {
        lock (state)
            holding = true;
    }

    /// <summary>From now on signals do what others have arranged, or end this program.</summary>
    /// <returns>The first one that was kept; null: none came.</returns>
    public (int Number, string Name)? Release()
    {
        lock (state)
        {
            holding = false;
            var kept = first;
            first = null;
            return kept;
        }
    }

    /// <summary>The first one that was kept; null: none came.</summary>
    public (int Number, string Name)? Kept
    {
        get
        {
            lock (state)
                return first;
        }
    }

    public void Dispose() => signals.Dispose();

    private void Take(PosixSignalContext context, int number, string name)
    {
        lock (state)
        {
            if (!holding)
                return;
            context.Cancel = true;
            first ??= (number, name);
        }
    }
}
