using System.Diagnostics;

namespace Candela.Bench.Churn;

/// <summary>How a cycle ended.</summary>
internal enum Outcome
{
    /// <summary>As without disturbances.</summary>
    Completed,

    /// <summary>A kill came between, and it was cleaned up.</summary>
    Interrupted,

    /// <summary>Something happened that no kill explains.</summary>
    Wrong,
}

/// <summary>Counts cycles by kind and outcome.</summary>
internal sealed class Tally
{
    private readonly SortedDictionary<string, Row> rows = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, Row> Rows => rows;

    /// <summary>Adds one that began then.</summary>
    public void Add(string kind, Outcome outcome, long begun)
    {
        lock (rows)
        {
            if (!rows.TryGetValue(kind, out var row))
                rows[kind] = row = new Row();
            row.Add(outcome, Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }
    }

    /// <summary>Cycles of one kind.</summary>
    internal sealed class Row
    {
        private readonly Dictionary<Outcome, int> counts = [];

        /// <summary>Durations of those that were not interrupted.</summary>
        public Samples Durations { get; } = new();

        public int Count => counts.Values.Sum();

        public int this[Outcome outcome] => counts.GetValueOrDefault(outcome);

        public void Add(Outcome outcome, double milliseconds)
        {
            counts[outcome] = this[outcome] + 1;
            if (outcome == Outcome.Completed)
                Durations.Add(milliseconds);
        }
    }
}
