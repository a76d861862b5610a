namespace Candela.Differential;

/// <summary>Prints what scenarios show, and counts it.</summary>
internal sealed class Tally(Justification[] justifications, bool isWhole)
{
    private const int ShownLength = 1500;

    private readonly Lock _gate = new();
    private int _same, _explained, _differing;

    /// <summary>One scenario has been played.</summary>
    public void Add(Scenario scenario, IReadOnlyList<Difference> differences)
    {
        lock (_gate)
        {
            var unexplained = new List<Difference>();
            foreach (Difference difference in differences)
            {
                if (justifications.FirstOrDefault(j => j.Place.IsMatch(difference.Place)) is { } reason)
                    reason.Uses++;
                else
                    unexplained.Add(difference);
            }

            string verdict = unexplained.Count > 0 ? "DIFFERS" : differences.Count > 0 ? "explained" : "same";
            _ = verdict switch { "same" => _same++, "explained" => _explained++, _ => _differing++ };
            Console.WriteLine($"{verdict,-10} {scenario.Name}");
            foreach (Difference difference in unexplained)
                Console.WriteLine($"    {difference.Place}: {difference.Step}\n      docker:  {Shorten(difference.Docker)}\n      candela: {Shorten(difference.Candela)}");
        }
    }

    /// <summary>Prints the sums.</summary>
    /// <returns>Exit code: 0 when nothing differs without a reason.</returns>
    public int Conclude()
    {
        Console.WriteLine($"{_same + _explained + _differing} scenarios: {_same} the same, {_explained} with explained differences, {_differing} differ");
        foreach (Justification unused in justifications.Where(j => isWhole && j.Uses == 0))
            Console.WriteLine($"no difference needs this explanation: {unused.Place}");
        return _differing == 0 ? 0 : 1;
    }

    private static string Shorten(string text) =>
        (text.Length > ShownLength ? text[..ShownLength] + " …" : text).Replace("\n", "\n               ", StringComparison.Ordinal);
}
