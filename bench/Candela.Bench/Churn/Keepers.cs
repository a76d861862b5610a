using System.Globalization;
using Candela.Model;

namespace Candela.Bench.Churn;

/// <summary>Containers that count aloud from the beginning to the end. They must never be lost, nor a line of theirs.</summary>
internal sealed class Keepers(Subject subject, int count)
{
    private const string Script = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.25; done";

    private IReadOnlyList<Container> started = [];

    public IReadOnlySet<string> Names { get; } = Enumerable.Range(1, count).Select(number => $"keeper-{number}").ToHashSet();

    public void Start()
    {
        foreach (string name in Names)
            subject.Engine.Docker("run", "-d", "--network", "none", "--name", name, Engine.Image, "sh", "-c", Script);
        started = Present();
    }

    /// <summary>Checks them; the daemon is left alone meanwhile.</summary>
    /// <param name="wrong">Told what is wrong.</param>
    /// <returns>Lines of all.</returns>
    public long Check(Action<string> wrong)
    {
        var present = Present();
        long lines = 0;
        foreach (var former in started)
        {
            var container = present.FirstOrDefault(container => container.Id == former.Id);
            if (container?.Status.State != ContainerState.Running || container.Status.StartedAt != former.Status.StartedAt || container.Status.Pid != former.Status.Pid)
            {
                wrong($"{former.Name} was lost: {container?.Status.ToString() ?? "gone"}");
                continue;
            }
            long before = CheckLog(former.Name, wrong);
            using var timer = new ManualResetEventSlim();
            int polls = 0;
            while (polls < 60 && CheckLog(former.Name, wrong) == before)
            {
                timer.Wait(500);
                polls++;
            }
            if (polls == 60)
                wrong($"{former.Name} no longer counts, it stands at {before}");
            lines += before;
        }
        return lines;
    }

    public void Remove()
    {
        foreach (string name in Names)
            subject.Docker.Run(mayBeKilled: false, "rm", "-f", name);
    }

    private IReadOnlyList<Container> Present() => [.. subject.Containers().Where(container => Names.Contains(container.Name))];

    private long CheckLog(string name, Action<string> wrong)
    {
        long expected = 0;
        foreach (string line in subject.Engine.Docker("logs", name).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            expected++;
            if (line == expected.ToString(CultureInfo.InvariantCulture))
                continue;
            wrong($"{name}'s log has '{line}' where {expected} belongs");
            break;
        }
        return expected;
    }
}
