using System.Text.RegularExpressions;

namespace Candela.Differential;

/// <summary>A difference that is meant to be.</summary>
/// <param name="Place">Which: matched against <c>SCENARIO output</c>, <c>SCENARIO code</c> or <c>inspect PATH</c>.</param>
/// <param name="Reason">Why.</param>
internal sealed record Justification(Regex Place, string Reason)
{
    /// <summary>Times that it applied.</summary>
    public int Uses { get; set; }

    /// <summary>Reads lines of a regular expression, two or more spaces, and the reason.</summary>
    public static Justification[] Read(string path) =>
    [
        .. File.ReadLines(path).Where(static l => l.Length > 0 && l[0] != '#').Select(static line =>
        {
            int gap = line.IndexOf("  ", StringComparison.Ordinal);
            return new Justification(new Regex($"^(?:{line[..gap]})$", RegexOptions.CultureInvariant), line[gap..].Trim());
        }),
    ];
}
