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
Justification[] justifications = Justification.Read(Path.Combine(args[1], "differences"));
string folder = Directory.CreateTempSubdirectory("candela-diff-").FullName;
try
{
    string image = TestRoot.Make(folder);
    using var docker = Engine.StartDocker(Path.Combine(folder, "docker"));
    using var candela = Engine.StartCandela(args[0], Path.Combine(folder, "candela"));
    foreach (Engine engine in (Engine[])[docker, candela])
        engine.Import(image);
    return await Comparison.RunAsync(scenarios, justifications, docker, candela, folder);
}
finally
{
    Directory.Delete(folder, recursive: true);
}
