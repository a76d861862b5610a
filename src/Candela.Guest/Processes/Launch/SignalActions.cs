using System.Globalization;
using Candela.Guest.Native;

namespace Candela.Guest.Processes.Launch;

/// <summary>Signals for which the agent's process, with its runtime, has another action than the default.</summary>
internal static class SignalActions
{
    /// <summary>A bit for each, from bit 0 for signal 1.</summary>
    public static ulong Changed()
    {
        ulong changed = 0;
        foreach (var line in (SmallFile.TryRead("/proc/self/status") ?? "").Split('\n'))
        {
            if (line.StartsWith("SigIgn:", StringComparison.Ordinal) || line.StartsWith("SigCgt:", StringComparison.Ordinal))
                changed |= ulong.Parse(line.AsSpan("SigIgn:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
        return changed;
    }
}
