using Candela.Differential;

// usage: Candela.Differential CANDELA-BIN SCENARIOS-FOLDER [NAME-PART...]; see tests/differential.
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: tests/differential [NAME-PART...]");
    return 64;
}

string[] parts = args[2..];
Scenario[] scenarios =
[
    .. Directory.EnumerateFiles(args[1], "*.scenarios").Order(StringComparer.Ordinal).SelectMany(Scenario.Read)
        .Where(s => parts.Length == 0 || parts.Any(part => s.Name.Contains(part, StringComparison.Ordinal))),
];
if (scenarios.GroupBy(static s => s.Name).FirstOrDefault(static g => g.Count() > 1) is { } twice)
{
    Console.Error.WriteLine($"two scenarios are called {twice.Key}");
    return 64;
}

Justification[] justifications = Justification.Read(Path.Combine(args[1], "differences"));
string folder = Directory.CreateTempSubdirectory("candela-diff-").FullName;
try
{
    string image = TestRoot.Make(folder);
    await using Engine docker = await Engine.StartDockerAsync(Path.Combine(folder, "docker"));
    await using Engine candela = await Engine.StartCandelaAsync(args[0], Path.Combine(folder, "candela"));
    foreach (Engine engine in (Engine[])[docker, candela])
        await engine.ImportAsync(image);
    return await Comparison.RunAsync(scenarios, new Tally(justifications, isWhole: parts.Length == 0), docker, candela, folder);
}
finally
{
    Directory.Delete(folder, recursive: true);
}
