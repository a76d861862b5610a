namespace Candela.Bench;

/// <summary>Measured durations, in milliseconds.</summary>
internal sealed class Samples
{
    private readonly List<double> values = [];

    public int Count => values.Count;

    public double Median => Percentile(50);

    public double P95 => Percentile(95);

    public double Minimum => values.Count > 0 ? values.Min() : double.NaN;

    public double Maximum => values.Count > 0 ? values.Max() : double.NaN;

    public IReadOnlyList<double> Values => values;

    public void Add(double milliseconds) => values.Add(milliseconds);

    /// <summary>Linear interpolation between the nearest ranks.</summary>
    private double Percentile(double percent)
    {
        if (values.Count == 0)
            return double.NaN;
        var sorted = values.Order().ToList();
        double rank = percent / 100 * (sorted.Count - 1);
        int below = (int)rank;
        double part = rank - below;
        return below + 1 < sorted.Count ? sorted[below] * (1 - part) + sorted[below + 1] * part : sorted[below];
    }
}
