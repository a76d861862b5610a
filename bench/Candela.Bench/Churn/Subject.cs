using System.Diagnostics;
using System.Globalization;
using Candela.Cli.Api;
using Candela.Model;

namespace Candela.Bench.Churn;

/// <summary>The instance under test, with what was done to it: workers ask whether a failure of theirs has been caused on purpose.</summary>
internal sealed class Subject(CandelaEngine engine) : IDisposable
{
    private readonly Lock gate = new();
    private readonly ManualResetEventSlim ready = new(true);
    private readonly List<(long From, long To)> outages = [];
    private readonly List<(long At, string? Container)> endedVmms = [];

    public CandelaEngine Engine => engine;

    public DockerClients Docker { get; } = new(engine.DockerSocket);

    /// <summary>How long the daemon took to be back, each time.</summary>
    public Samples Returns { get; } = new();

    /// <summary>Waits while the daemon is away.</summary>
    public void AwaitReady()
    {
        if (!ready.Wait(TimeSpan.FromMinutes(5)))
            throw new TimeoutException("the daemon did not return within 5 minutes");
    }

    /// <summary>The daemon was away at some time since then (a <see cref="Stopwatch"/> timestamp).</summary>
    public bool WasAwaySince(long timestamp)
    {
        lock (gate)
            return outages.Any(outage => outage.To >= timestamp);
    }

    /// <summary>A VMM was killed since then that was this container's, or nobody's yet.</summary>
    public bool LostVmmSince(long timestamp, string container)
    {
        lock (gate)
            return endedVmms.Any(ended => ended.At >= timestamp && (ended.Container is null || ended.Container == container));
    }

    /// <summary>SIGKILL to a VMM.</summary>
    public void KillVmm(Vmm vmm)
    {
        lock (gate)
            endedVmms.Add((Stopwatch.GetTimestamp(), vmm.Container));
        vmm.Kill();
    }

    /// <summary>Ends the daemon; <paramref name="meanwhile"/>, and the daemon again.</summary>
    /// <param name="orderly">By SIGTERM; else by SIGKILL.</param>
    /// <param name="meanwhile">Happens while it is away.</param>
    /// <param name="again">If positive, it is killed once more so long after its start.</param>
    public void EndDaemon(bool orderly, Action meanwhile, TimeSpan again)
    {
        int outage;
        lock (gate)
        {
            outage = outages.Count;
            outages.Add((Stopwatch.GetTimestamp(), long.MaxValue));
            ready.Reset();
        }
        if (orderly)
            engine.DownAlone();
        else
            KillDaemonProcess();
        meanwhile();
        if (again > TimeSpan.Zero)
        {
            using var killed = new Timer(_ => KillDaemonProcess(), null, again, Timeout.InfiniteTimeSpan);
            try
            {
                engine.Up();
            }
            catch (InvalidOperationException)
            {
                // It was killed before it was ready.
            }
            killed.Dispose();
        }
        long begun = Stopwatch.GetTimestamp();
        engine.Up();
        Returns.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        lock (gate)
        {
            outages[outage] = (outages[outage].From, Stopwatch.GetTimestamp());
            ready.Set();
        }
    }

    /// <summary>All containers.</summary>
    public IReadOnlyList<Container> Containers()
    {
        using var client = engine.Connect();
        return client.Get(Routes.Query(Routes.Containers, ("all", "true")), Wire.Default.IReadOnlyListContainer);
    }

    public void Dispose() => ready.Dispose();

    /// <summary>The daemon's process, by its pid file.</summary>
    public int DaemonPid() => int.Parse(File.ReadAllText(Path.Combine(engine.RunFolder, "candelad.pid")), CultureInfo.InvariantCulture);

    private void KillDaemonProcess()
    {
        try
        {
            using var process = Process.GetProcessById(DaemonPid());
            if (process.ProcessName != "candelad")
                return;
            process.Kill();
            process.WaitForExit();
        }
        catch (Exception exception) when (exception is IOException or FormatException or ArgumentException)
        {
            // It is not there (yet).
        }
    }
}
