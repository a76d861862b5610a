using Candela.Cli.CommandLine;

namespace Candela.Bench;

/// <summary>What to measure, and how often.</summary>
internal sealed record BenchOptions
{
    public const string Churn = "churn";

    /// <summary>What measures; run when nothing else is asked for.</summary>
    public static readonly IReadOnlyList<string> AllSections = ["run", "build", "stages", "clone", "fork", "throughput", "idle", "identity", "policies", "network"];

    public required IReadOnlyList<string> Sections { get; init; }

    /// <summary>Measured runs a side.</summary>
    public int Runs { get; init; }

    /// <summary>Runs a side before the measured ones.</summary>
    public int WarmUps { get; init; }

    /// <summary>Containers a concurrency level.</summary>
    public int ThroughputContainers { get; init; }

    /// <summary>Idle containers.</summary>
    public int IdleContainers { get; init; }

    /// <summary>Go on starting idle containers until so little memory is left, bytes; 0: stop at <see cref="IdleContainers"/>.</summary>
    public long UntilAvailableBytes { get; init; }

    /// <summary>Seconds over which idle CPU is measured.</summary>
    public int IdleSeconds { get; init; }

    /// <summary>Cycles of the churn.</summary>
    public int ChurnCycles { get; init; }

    /// <summary>Cycles at a time.</summary>
    public int ChurnWorkers { get; init; }

    /// <summary>Chooses what the churn does, and what it kills.</summary>
    public int ChurnSeed { get; init; }

    /// <summary>Folder of the instances' state, which is kept; null: a temporary one.</summary>
    public string? Folder { get; init; }

    /// <summary>Leave dockerd out.</summary>
    public bool WithoutDocker { get; init; }

    /// <summary>Leave Candela out.</summary>
    public bool WithoutCandela { get; init; }

    /// <summary>Where the results go as JSON, too; null: nowhere.</summary>
    public string? JsonFile { get; init; }

    /// <summary>Folder with candelad and the other programs.</summary>
    public required string Programs { get; init; }

    public static Command Command(Func<BenchOptions, int> run) => new("bench/run", "Measure Candela, side by side with dockerd and runc")
    {
        Arguments = "[SECTION...]",
        Description = $"Sections: {string.Join(", ", AllSections)}; default: all of these. Both sides run in folders of their own, on one machine, in turn. Besides, {Churn}: cycles of containers' lives while clients, VMMs and the daemon are killed at random; exit code 1 when anything is lost or left.",
        Options =
        [
            new("runs", "Measured runs a side (default 30)") { Letter = 'n', Value = "NUMBER" },
            new("warm-ups", "Runs a side before those (default 3)") { Value = "NUMBER" },
            new("throughput", "Containers a concurrency level (default 40)") { Value = "NUMBER" },
            new("idle", "Idle containers (default 200)") { Value = "NUMBER" },
            new("idle-seconds", "Seconds over which idle CPU is measured (default 10)") { Value = "NUMBER" },
            new("until-available", "After those go on until so little memory is available, for example 2g") { Value = "SIZE" },
            new("cycles", "Cycles of the churn (default 500)") { Value = "NUMBER" },
            new("workers", "Cycles at a time (default 4)") { Value = "NUMBER" },
            new("seed", "Chooses what the churn does and kills (default: any)") { Value = "NUMBER" },
            new("folder", "Keep state and logs here instead of in a temporary folder") { Value = "DIR" },
            new("without-docker", "Leave dockerd out"),
            new("without-candela", "Leave Candela out: the other side alone"),
            new("json", "Write the results to a file, too") { Value = "FILE" },
        ],
        Examples = [("run --runs 50", "the comparison only"), ("idle --idle 300 --until-available 2g", "how far it goes"), ("churn --cycles 50 --seed 7", "what is left when things are killed")],
        Run = invocation =>
        {
            foreach (string section in invocation.Arguments)
            {
                if (section != Churn && !AllSections.Contains(section))
                    throw new UsageException($"no such section: {section} (there are: {string.Join(", ", AllSections)}, {Churn})");
            }
            return run(new BenchOptions
            {
                Sections = invocation.Arguments.Count > 0 ? invocation.Arguments : AllSections,
                Runs = invocation.Number("runs", 1, 10_000) ?? 30,
                WarmUps = invocation.Number("warm-ups", 0, 1000) ?? 3,
                ThroughputContainers = invocation.Number("throughput", 1, 10_000) ?? 40,
                IdleContainers = invocation.Number("idle", 1, 100_000) ?? 200,
                IdleSeconds = invocation.Number("idle-seconds", 1, 3600) ?? 10,
                UntilAvailableBytes = invocation.Value("until-available") is { } size ? Cli.Containers.SpecOptions.ParseSize("until-available", size) : 0,
                ChurnCycles = invocation.Number("cycles", 1, 1_000_000) ?? 500,
                ChurnWorkers = invocation.Number("workers", 1, 64) ?? 4,
                ChurnSeed = invocation.Number("seed", 0, int.MaxValue) ?? Random.Shared.Next(),
                Folder = invocation.Value("folder") is { } folder ? Path.GetFullPath(folder) : null,
                WithoutDocker = invocation.Flag("without-docker"),
                WithoutCandela = invocation.Flag("without-candela"),
                JsonFile = invocation.Value("json"),
                Programs = Environment.GetEnvironmentVariable("CANDELA_BIN") ?? throw new UsageException("start the bench with bench/run"),
            });
        },
    };
}
