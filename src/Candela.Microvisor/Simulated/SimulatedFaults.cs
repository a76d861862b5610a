namespace Candela.Microvisor.Simulated;

/// <summary>
/// What takes its time or goes wrong on a <see cref="SimulatedHost"/>; may be changed at any time and is asked when its moment comes.
/// A VMM dies by <see cref="SimulatedHost.Crash"/>.
/// </summary>
public sealed class SimulatedFaults
{
    /// <summary>Duration of a parent's boot.</summary>
    public TimeSpan BootTime { get; set; }

    /// <summary>Duration of a clone, and of each fork.</summary>
    public TimeSpan CloneTime { get; set; }

    /// <summary>How long a source stands still while it is forked, besides what the caller does meanwhile.</summary>
    public TimeSpan ForkPause { get; set; }

    /// <summary>The failure of a parent's boot, or null.</summary>
    public Func<MicroVmSize, Exception?> Boot { get; set; } = static _ => null;

    /// <summary>The failure of a clone or fork, or null.</summary>
    public Func<CloneSpec, Exception?> Clone { get; set; } = static _ => null;

    /// <summary>The guest's behaviour.</summary>
    public Func<CloneSpec, GuestBehaviour> Guest { get; set; } = static _ => GuestBehaviour.Sound;
}

/// <summary>How a simulated guest behaves.</summary>
public enum GuestBehaviour
{
    /// <summary>As its delegate does.</summary>
    Sound,

    /// <summary>Reads whatever it is sent and never answers.</summary>
    Silent,

    /// <summary>Answers whatever it is sent with random bytes.</summary>
    Babbling,
}
