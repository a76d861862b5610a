namespace Candela.Differential;

/// <summary>Commands that are run, one after the other, against an engine.</summary>
/// <param name="Name">Unique; letters, digits and dashes.</param>
/// <param name="Steps">
/// Shell commands. <c>@inspect ARGUMENTS</c> compares the documents of docker inspect, <c>@api METHOD PATH [BODY]</c> an answer's
/// document and HTTP status.
/// </param>
/// <param name="Alone">It speaks of all that an engine has, so that no other may run beside it.</param>
internal sealed record Scenario(string Name, IReadOnlyList<string> Steps, bool Alone)
{
    /// <summary>
    /// Reads a file. <c>: NAME</c> begins a scenario, its steps follow, a line each; <c>! NAME</c> one that runs alone. Lines
    /// <c>= STEP</c> are a table's head: each line <c>- NAME  TEXT</c> after them is a scenario of those steps with the text in place of
    /// <c>{}</c>. <c>#</c> begins a comment.
    /// </summary>
    public static IEnumerable<Scenario> Read(string path)
    {
        var scenarios = new List<Scenario>();
        List<string> head = [], steps = [];
        bool inHead = false;
        foreach (string line in File.ReadLines(path).Select(static l => l.Trim()))
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            string rest = line[1..].Trim();
            bool continuesHead = inHead;
            inHead = line.StartsWith("= ", StringComparison.Ordinal);
            if (inHead)
            {
                head = continuesHead ? [.. head, rest] : [rest];
            }
            else if (line.StartsWith("- ", StringComparison.Ordinal))
            {
                string[] cells = rest.Split("  ", 2);
                string text = cells.Length > 1 ? cells[1].Trim() : "";
                scenarios.Add(new Scenario(cells[0], [.. head.Select(step => step.Replace("{}", text, StringComparison.Ordinal))], Alone: false));
            }
            else if (line.StartsWith(": ", StringComparison.Ordinal) || line.StartsWith("! ", StringComparison.Ordinal))
            {
                scenarios.Add(new Scenario(rest, steps = [], Alone: line[0] == '!'));
            }
            else
            {
                steps.Add(line);
            }
        }

        return scenarios;
    }
}
