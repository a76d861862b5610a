namespace Candela.Controller.Containers;

/// <summary>Waits of 100 ms, doubling to a minute; from the beginning again after a run of ten seconds.</summary>
internal sealed class RestartBackoff
{
    private const int FirstMilliseconds = 100;
    private const int LastMilliseconds = 60_000;
    private static readonly TimeSpan Healthy = TimeSpan.FromSeconds(10);

    /// <summary>The last wait; 0 before the first.</summary>
    public int Milliseconds { get; set; }

    /// <summary>The wait after a run of this length.</summary>
    public TimeSpan Next(TimeSpan run)
    {
        Milliseconds = Milliseconds == 0 || run >= Healthy ? FirstMilliseconds : Math.Min(Milliseconds * 2, LastMilliseconds);
        return TimeSpan.FromMilliseconds(Milliseconds);
    }
}
