using System.Text.Json;

namespace Candela.Differential;

/// <summary>Runs scenarios on both engines and tells what differs.</summary>
internal static class Comparison
{
    /// <summary>Scenarios at once: the machine has little to do while one of them waits.</summary>
    private const int Parallel = 3;

    /// <summary>Prints one line a scenario, and the differences that nothing justifies.</summary>
    /// <returns>Exit code: 0 when there are none.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<Scenario> scenarios, Tally tally, Engine docker, Engine candela, string folder)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel };
        await System.Threading.Tasks.Parallel.ForEachAsync(scenarios.Where(static s => !s.Alone), options, async (scenario, _) => tally.Add(scenario, await CompareAsync(scenario, docker, candela, folder)));
        foreach (Scenario scenario in scenarios.Where(static s => s.Alone))
            tally.Add(scenario, await CompareAsync(scenario, docker, candela, folder));
        return tally.Conclude();
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
            {
                differences.Add(new($"{scenario.Name} code", step, $"{expected[i].ExitCode} {expected[i].Error}", $"{actual[i].ExitCode} {actual[i].Error}"));
                continue;
            }

            if (step[0] == '@')
                differences.AddRange(Documents(step, step.StartsWith("@inspect ", StringComparison.Ordinal) ? "inspect" : scenario.Name, expected[i].Output, actual[i].Output));
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
        // No name may be a part of another scenario's: filters look for parts of names.
        string name = $"s-{scenario.Name}-{scenario.Name.Length}s";
        var outcomes = new List<Outcome>();
        foreach (string step in scenario.Steps)
        {
            string command = step.StartsWith("@inspect ", StringComparison.Ordinal) ? "docker " + step[1..] : step.TrimStart('@');
            Outcome outcome = await engine.RunAsync(command, name, own);
            outcomes.Add(new Outcome(outcome.ExitCode, Normalization.Of(outcome.Output, own), Normalization.Of(outcome.Error, own)));
        }

        await engine.RunAsync(
            "docker ps -aq --filter name=$N | xargs -r docker rm -fv; docker volume ls -q --filter name=$N | xargs -r docker volume rm; "
            + "docker network ls -q --filter name=$N | xargs -r docker network rm; docker images --format '{{.Repository}}:{{.Tag}}' $N | xargs -r docker rmi -f",
            name, own);
        return outcomes;
    }

    private static IEnumerable<Difference> Documents(string step, string what, string expected, string actual)
    {
        SortedDictionary<string, string> docker = Flatten(expected), candela = Flatten(actual);
        foreach (string path in docker.Keys.Union(candela.Keys).Order(StringComparer.Ordinal))
        {
            string there = docker.GetValueOrDefault(path, "(absent)"), here = candela.GetValueOrDefault(path, "(absent)");
            if (there != here)
                yield return new($"{what} {path}", step, there, here);
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
            if (path.EndsWith(".Env", StringComparison.Ordinal) || path.EndsWith(".Mounts", StringComparison.Ordinal)) // sets: their order means nothing
                items = items.OrderBy(static item => item.GetRawText(), StringComparer.Ordinal);
            foreach (JsonElement item in items)
                Walk(item, $"{path}[{index++}]", values);
        }
        else
        {
            values[path] = element.GetRawText();
        }
    }
}
