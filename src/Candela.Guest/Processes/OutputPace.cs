using Candela.Guest.Native;

namespace Candela.Guest.Processes;

/// <summary>
/// Lets a process that writes many small pieces go on for a moment, so that they travel together: a frame costs far more than
/// a line. Who writes now and then is not delayed.
/// </summary>
internal sealed unsafe class OutputPace
{
    private const int SmallBytes = 1024;
    private const int WindowMilliseconds = 16;
    private const int FreeReads = 24;
    private const int PauseNanoseconds = 1_000_000;

    private long _windowStart;
    private int _reads;
    private bool _isBusy;

    /// <summary>A stream gave <paramref name="bytes"/>.</summary>
    public void Note(nint bytes)
    {
        if (bytes >= SmallBytes)
            return;
        var now = Environment.TickCount64;
        if (now - _windowStart >= WindowMilliseconds)
            (_windowStart, _reads) = (now, 0);
        _isBusy = ++_reads > FreeReads;
    }

    /// <summary>Pauses if that pays.</summary>
    public void Wait()
    {
        if (!_isBusy)
            return;
        _isBusy = false;
        var pause = new TimeSpec { Nanoseconds = PauseNanoseconds };
        _ = Libc.nanosleep(&pause, null);
    }
}
