using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Candela.Cli.Output;

namespace Candela.Bench;

/// <summary>Collects sections: tables for people at once, JSON for programs at the end.</summary>
internal sealed class Report
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly JsonObject json = [];

    /// <summary>Prints a section and keeps its figures.</summary>
    public void Section(string name, string title, Table table, JsonNode figures)
    {
        Console.WriteLine();
        Console.WriteLine(title);
        Console.Write(table.ToString());
        json[name] = figures;
    }

    public void Note(string name, JsonNode value) => json[name] = value;

    public void Write(string file) => File.WriteAllText(file, json.ToJsonString(Indented) + "\n");

    public static string Ms(double milliseconds) => double.IsNaN(milliseconds) ? "-" : milliseconds.ToString("0.0", CultureInfo.InvariantCulture);

    public static string Number(double value, string format = "0.00") => double.IsNaN(value) ? "-" : value.ToString(format, CultureInfo.InvariantCulture);

    public static JsonObject Json(Samples samples) => new()
    {
        ["count"] = samples.Count,
        ["medianMs"] = Rounded(samples.Median),
        ["p95Ms"] = Rounded(samples.P95),
        ["minimumMs"] = Rounded(samples.Minimum),
        ["maximumMs"] = Rounded(samples.Maximum),
    };

    public static JsonValue? Rounded(double value) => double.IsNaN(value) ? null : JsonValue.Create(Math.Round(value, 3));
}
