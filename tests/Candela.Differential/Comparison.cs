using System.Text.Json;

namespace Candela.Differential;

/// <summary>Runs scenarios on both engines and tells what differs.</summary>
internal static class Comparison
{
    /// <summary>Prints one line a scenario, and the differences that nothing justifies.</summary>
    /// <returns>Exit code: 0 when there are none.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<Scenario> scenarios, Justification[] justifications, Engine docker, Engine candela, string folder)
    {
        int same = 0, explained = 0, differing = 0;
        foreach (Scenario scenario in scenarios)
        {
            List<Difference>[] found = [[], []];
            foreach (Difference difference in await CompareAsync(scenario, docker, candela, folder))
            {
                Justification? reason = justifications.FirstOrDefault(j => j.Place.IsMatch(difference.Place));
                if (reason is not null)
                    reason.Uses++;
                found[reason is null ? 1 : 0].Add(difference);
            }

            string verdict = found[1].Count > 0 ? "DIFFERS" : found[0].Count > 0 ? "explained" : "same";
            _ = verdict switch { "same" => same++, "explained" => explained++, _ => differing++ };
            Console.WriteLine($"{verdict,-10} {scenario.Name}");
            foreach (Difference difference in found[1])
                Console.WriteLine($"    {difference.Place}: {difference.Step}\n      docker:  {Shorten(difference.Docker)}\n      candela: {Shorten(difference.Candela)}");
        }

        Console.WriteLine($"{scenarios.Count} scenarios: {same} the same, {explained} with explained differences, {differing} differ");
        foreach (Justification unused in justifications.Where(static j => j.Uses == 0))
            Console.WriteLine($"no difference needs this explanation: {unused.Place}");
        return differing == 0 ? 0 : 1;
    }

    private static async Task<List<Difference>> CompareAsync(Scenario scenario, Engine docker, Engine candela, string folder)
    {
        Task<List<Outcome>> first = PlayAsync(scenario, docker, folder), second = PlayAsync(scenario, candela, folder);
        List<Outcome> expected = await first, actual = await second;
        var differences = new List<Difference>();
        for (int i = 0; i < scenario.Steps.Count; i++)
        {
            string step = scenario.Steps[i];
            if (expected[i].ExitCode != actual[i].ExitCode)
                differences.Add(new($"{scenario.Name} code", step, $"{expected[i].ExitCode} {expected[i].Error}", $"{actual[i].ExitCode} {actual[i].Error}"));
            if (step.StartsWith("@inspect ", StringComparison.Ordinal))
                differences.AddRange(Documents(step, expected[i].Output, actual[i].Output));
            else if (expected[i].Output != actual[i].Output)
                differences.Add(new($"{scenario.Name} output", step, expected[i].Output, actual[i].Output));
            if (expected[i].Error != actual[i].Error)
                differences.Add(new($"{scenario.Name} error", step, expected[i].Error, actual[i].Error));
        }

        return differences;
    }

    private static async Task<List<Outcome>> PlayAsync(Scenario scenario, Engine engine, string folder)
    {
        string own = Directory.CreateDirectory(Path.Combine(folder, "steps", engine.Name, scenario.Name)).FullName;
        string name = "s-" + scenario.Name;
        var outcomes = new List<Outcome>();
        foreach (string step in scenario.Steps)
        {
            string command = step.StartsWith('@') ? "docker " + step[1..] : step;
            Outcome outcome = await engine.RunAsync(command, name, own);
            outcomes.Add(new Outcome(outcome.ExitCode, Normalization.Of(outcome.Output, own), Normalization.Of(outcome.Error, own)));
        }

        await engine.RunAsync("docker ps -aq --filter name=$N | xargs -r docker rm -fv; docker volume ls -q --filter name=$N | xargs -r docker volume rm; docker images -q $N | xargs -r docker rmi -f", name, own);
        return outcomes;
    }

    private static IEnumerable<Difference> Documents(string step, string expected, string actual)
    {
        SortedDictionary<string, string> docker = Flatten(expected), candela = Flatten(actual);
        foreach (string path in docker.Keys.Union(candela.Keys).Order(StringComparer.Ordinal))
        {
            string there = docker.GetValueOrDefault(path, "(absent)"), here = candela.GetValueOrDefault(path, "(absent)");
            if (there != here)
                yield return new($"inspect {path}", step, there, here);
        }
    }

    private static SortedDictionary<string, string> Flatten(string text)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            Walk(document.RootElement, "", values);
        }
        catch (JsonException)
        {
            values["(no JSON)"] = text;
        }

        return values;
    }

    private static void Walk(JsonElement element, string path, SortedDictionary<string, string> values)
    {
        if (element.ValueKind == JsonValueKind.Object && element.EnumerateObject().Any())
        {
            foreach (JsonProperty member in element.EnumerateObject())
                Walk(member.Value, $"{path}.{member.Name}", values);
        }
        else if (element.ValueKind == JsonValueKind.Array && element.GetArrayLength() > 0)
        {
            int index = 0;
            IEnumerable<JsonElement> items = element.EnumerateArray();
            if (path.EndsWith(".Env", StringComparison.Ordinal)) // a set: its order means nothing
                items = items.OrderBy(static item => item.GetRawText(), StringComparer.Ordinal);
            foreach (JsonElement item in items)
                Walk(item, $"{path}[{index++}]", values);
        }
        else
        {
            values[path] = element.GetRawText();
        }
    }

    private static string Shorten(string text) => text.Length > 600 ? text[..600] + " …" : text.Replace("\n", "\n               ", StringComparison.Ordinal);

    /// <summary>One thing in which the engines differ.</summary>
    private sealed record Difference(string Place, string Step, string Docker, string Candela);
}
