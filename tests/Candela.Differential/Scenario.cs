namespace Candela.Differential;

/// <summary>Commands that are run, one after the other, against an engine.</summary>
/// <param name="Name">Unique; letters, digits and dashes.</param>
/// <param name="Steps">Shell commands. <c>@inspect ARGUMENTS</c> compares the documents of docker inspect.</param>
internal sealed record Scenario(string Name, IReadOnlyList<string> Steps)
{
    /// <summary>Reads a file: <c>: NAME</c> begins a scenario, its steps follow, a line each; <c>#</c> begins a comment.</summary>
    public static IEnumerable<Scenario> Read(string path)
    {
        string? name = null;
        List<string> steps = [];
        foreach (string line in File.ReadLines(path).Select(static l => l.Trim()))
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (!line.StartsWith(": ", StringComparison.Ordinal))
            {
                steps.Add(line);
                continue;
            }

            if (name is not null)
                yield return new Scenario(name, steps);
            (name, steps) = (line[2..].Trim(), []);
        }

        if (name is not null)
            yield return new Scenario(name, steps);
    }
}
