using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Candela.Bench.Churn;
using Candela.Cli.Output;

namespace Candela.Bench.Sections;

/// <summary>Containers come and go while clients, VMMs and the daemon are killed at random: nothing may be lost, and nothing left.</summary>
internal static class ChurnSection
{
    private const int KeeperCount = 3;

    /// <returns>Nothing was lost, left or wrong.</returns>
    public static bool Run(CandelaEngine engine, BenchOptions options, Report report)
    {
        Console.WriteLine($"churn: {options.ChurnCycles} cycles, {options.ChurnWorkers} at a time, seed {options.ChurnSeed}");
        using var subject = new Subject(engine);
        var wrongs = new List<string>();
        var tally = new Tally();
        void Wrong(string what)
        {
            lock (wrongs)
                wrongs.Add(what);
            Console.Error.WriteLine($"{DateTime.UtcNow:HH:mm:ss} {what}");
        }

        int descriptors = Remains.Descriptors(subject.DaemonPid()).Count();
        var keepers = new Keepers(subject, KeeperCount);
        keepers.Start();
        using var disturber = new Disturber(subject, new Random(options.ChurnSeed), keepers.Names);
        long begun = Stopwatch.GetTimestamp();
        disturber.Start();
        Work(subject, options, tally, Wrong);
        disturber.Stop();
        if (disturber.Failure is { } failure)
            Wrong("the daemon did not return: " + failure.Message);
        double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;

        long lines = keepers.Check(Wrong);
        keepers.Remove();
        var remains = new Remains(engine) { DescriptorsAtStart = descriptors };
        remains.CheckRunning(subject);
        var removal = subject.Docker.Run(mayBeKilled: false, "rmi", Engine.Image);
        remains.Add("images that are still in use", removal.Succeeded ? [] : [removal.ToString()]);
        engine.Down();
        remains.CheckStopped();
        foreach (var (what, found) in remains.Results.Where(result => result.Found.Count > 0))
            Wrong($"left: {what}: {string.Join("; ", found)}");
        Print(options, report, tally, disturber, subject, remains, wrongs, seconds, lines);
        return wrongs.Count == 0;
    }

    private static void Work(Subject subject, BenchOptions options, Tally tally, Action<string> wrong)
    {
        int last = 0;
        var kinds = Cycle.Kinds.ToList();
        // Threads, not tasks: each waits for processes.
        var workers = Enumerable.Range(0, options.ChurnWorkers).Select(_ => new Thread(() =>
        {
            while (Interlocked.Increment(ref last) is var number && number <= options.ChurnCycles)
            {
                var random = new Random(unchecked((options.ChurnSeed * 31) + number));
                var (kind, action) = kinds[random.Next(kinds.Count)];
                long begun = Stopwatch.GetTimestamp();
                try
                {
                    subject.AwaitReady();
                    begun = Stopwatch.GetTimestamp();
                    bool interrupted = new Cycle(subject, number, random).Run(action);
                    tally.Add(kind, interrupted ? Outcome.Interrupted : Outcome.Completed, begun);
                }
                catch (Exception exception)
                {
                    tally.Add(kind, Outcome.Wrong, begun);
                    wrong($"cycle {number} ({kind}): {(exception is WrongException ? exception.Message : exception.ToString())}");
                }
            }
        })).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
    }

    private static void Print(
        BenchOptions options, Report report, Tally tally, Disturber disturber, Subject subject, Remains remains, List<string> wrongs, double seconds, long lines)
    {
        var cycles = new Table("CYCLE", "COUNT", "UNDISTURBED", "INTERRUPTED BY A KILL", "WRONG", "MEDIAN s");
        var cyclesJson = new JsonObject();
        foreach (var (kind, row) in tally.Rows)
        {
            cycles.Add(kind, Text(row.Count), Text(row[Outcome.Completed]), Text(row[Outcome.Interrupted]), Text(row[Outcome.Wrong]), Report.Number(row.Durations.Median / 1000));
            cyclesJson[kind] = new JsonObject { ["completed"] = row[Outcome.Completed], ["interrupted"] = row[Outcome.Interrupted], ["wrong"] = row[Outcome.Wrong], ["durations"] = Report.Json(row.Durations) };
        }
        report.Section("churnCycles", $"Churn: {options.ChurnCycles} cycles in {seconds:0} s, {options.ChurnWorkers} at a time, seed {options.ChurnSeed}", cycles, cyclesJson);

        var kills = new Table("KILLED", "TIMES");
        var killsJson = new JsonObject();
        foreach (var (what, count) in disturber.Kills)
        {
            kills.Add(what, Text(count));
            killsJson[what] = count;
        }
        report.Section("churnKills", "SIGKILL, unless it says otherwise, to", kills, killsJson);

        var left = new Table("LEFT BEHIND", "COUNT");
        var leftJson = new JsonObject();
        foreach (var (what, found) in remains.Results)
        {
            left.Add(what, Text(found.Count));
            leftJson[what] = found.Count;
        }
        report.Section("churnLeft", $"What is left in the end, {KeeperCount} containers that counted all the time ({lines} lines) removed", left, leftJson);
        Console.WriteLine();
        Console.WriteLine($"The daemon was back after {Report.Number(subject.Returns.Median / 1000)} s (median), {Report.Number(subject.Returns.Maximum / 1000)} s (most).");
        Console.WriteLine(wrongs.Count == 0 ? "Nothing was lost, left or wrong." : $"{wrongs.Count} defects, listed above.");
        report.Note("churn", new JsonObject
        {
            ["seconds"] = Report.Rounded(seconds),
            ["keeperLines"] = lines,
            ["returns"] = Report.Json(subject.Returns),
            ["defects"] = new JsonArray([.. wrongs.Select(wrong => JsonValue.Create(wrong))]),
        });
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
