namespace Candela.Bench.Churn;

/// <summary>Kills docker clients, VMMs and the daemon at random moments, until it is stopped.</summary>
internal sealed class Disturber(Subject subject, Random random, IReadOnlySet<string> spared) : IDisposable
{
    private const int LeastPauseMs = 100, MostPauseMs = 3000;

    private readonly ManualResetEventSlim stopped = new();
    private readonly SortedDictionary<string, int> kills = new(StringComparer.Ordinal);
    private Thread? thread;

    /// <summary>What was killed, and how often; complete when it is stopped.</summary>
    public IReadOnlyDictionary<string, int> Kills => kills;

    /// <summary>Why it had to give up, if it had to.</summary>
    public Exception? Failure { get; private set; }

    public void Start()
    {
        thread = new Thread(Loop);
        thread.Start();
    }

    public void Stop()
    {
        stopped.Set();
        thread?.Join();
    }

    public void Dispose() => stopped.Dispose();

    private void Loop()
    {
        try
        {
            while (!stopped.Wait(random.Next(LeastPauseMs, MostPauseMs)))
                Disturb();
        }
        catch (Exception exception)
        {
            Failure = exception;
        }
    }

    private void Disturb()
    {
        switch (random.Next(10))
        {
            case < 5:
                if (subject.Docker.KillOne(random))
                    Count("docker client");
                break;
            case < 8:
                KillVmm(Vmms(), meanwhile: "");
                break;
            default:
                var vmms = Vmms();
                bool vmmToo = random.Next(3) == 0;
                bool again = random.Next(4) == 0;
                bool orderly = random.Next(4) == 0;
                Count((orderly ? "candelad (SIGTERM)" : "candelad") + (again ? ", and again while it starts" : ""));
                subject.EndDaemon(
                    orderly,
                    () =>
                    {
                        if (vmmToo)
                            KillVmm(vmms, meanwhile: ", no daemon there");
                    },
                    again ? TimeSpan.FromMilliseconds(random.Next(50, 2500)) : TimeSpan.Zero);
                break;
        }
    }

    private void KillVmm(IReadOnlyList<Vmm> vmms, string meanwhile)
    {
        if (vmms.Count == 0)
            return;
        var victim = vmms[random.Next(vmms.Count)];
        subject.KillVmm(victim);
        Count((victim.Container is null ? "waiting VMM" : "VMM of a container") + meanwhile);
    }

    private IReadOnlyList<Vmm> Vmms() =>
        [.. Vmm.List(subject.Engine.RunFolder, subject.Containers()).Where(vmm => vmm.Container is null || !spared.Contains(vmm.Container))];

    private void Count(string what) => kills[what] = kills.GetValueOrDefault(what) + 1;
}
