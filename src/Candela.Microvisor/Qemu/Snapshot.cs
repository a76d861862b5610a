using System.Diagnostics;
using Candela.Model;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Qemu;

/// <summary>A stopped guest: memory and device state in files of their own.</summary>
/// <param name="Memory">Guest memory; zero pages are holes.</param>
/// <param name="Devices">Device state.</param>
/// <param name="MemoryBytes">Bytes of memory that are not zero.</param>
/// <param name="Stages">How it came to be.</param>
internal sealed record Snapshot(SafeFileHandle Memory, SafeFileHandle Devices, long MemoryBytes, IReadOnlyList<StageTiming> Stages) : IDisposable
{
    public void Dispose()
    {
        Memory.Dispose();
        Devices.Dispose();
    }
}

/// <summary>Measures stages.</summary>
internal sealed class Stages
{
    private readonly List<StageTiming> _stages = [];
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _last;

    public Stages() => _last = _start;

    public IReadOnlyList<StageTiming> All => _stages;

    public TimeSpan Total => Stopwatch.GetElapsedTime(_start);

    /// <summary>The stage ends now.</summary>
    public TimeSpan Mark(string stage)
    {
        TimeSpan took = Stopwatch.GetElapsedTime(_last);
        _last = Stopwatch.GetTimestamp();
        _stages.Add(new StageTiming(stage, Math.Round(took.TotalMilliseconds, 2)));
        return took;
    }
}
