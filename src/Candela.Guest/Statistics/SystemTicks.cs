namespace Candela.Guest.Statistics;

/// <summary>The kernel's unit of CPU time in /proc: USER_HZ, which is 100 for every program on x86-64.</summary>
internal static class SystemTicks
{
    /// <summary>Ticks in a second.</summary>
    public const long PerSecond = 100;

    /// <summary>Nanoseconds of some ticks.</summary>
    public static long Nanoseconds(long ticks) => ticks * (1_000_000_000 / PerSecond);
}
