using System.Text;
using System.Text.Json;
using Candela.Cli.CommandLine;
using Candela.Cli.Commands;

namespace Candela.Cli.Output;

/// <summary>An object as an indented list of names and values.</summary>
internal static class Tree
{
    /// <summary>Asks for an object and shows it: as JSON if that is wanted, else for people.</summary>
    public static int Show(Invocation invocation, string target)
    {
        using var client = invocation.Connect();
        byte[] json = client.GetJson(target);
        if (invocation.WantsJson())
        {
            Writer.Json(json);
            return 0;
        }
        using var document = JsonDocument.Parse(json);
        var text = new StringBuilder();
        Append(text, document.RootElement, indent: 0);
        Writer.Out(text.ToString());
        return 0;
    }

    private static void Append(StringBuilder text, JsonElement element, int indent)
    {
        foreach (var property in element.EnumerateObject())
        {
            text.Append(' ', indent).Append(Words(property.Name)).Append(':');
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.Object:
                    text.Append('\n');
                    Append(text, property.Value, indent + 2);
                    break;
                case JsonValueKind.Array:
                    text.Append('\n');
                    foreach (var item in property.Value.EnumerateArray())
                    {
                        if (item.ValueKind == JsonValueKind.Object)
                            Append(text, item, indent + 2);
                        else
                            text.Append(' ', indent + 2).Append("- ").Append(item).Append('\n');
                    }
                    break;
                case JsonValueKind.Number when property.Name.EndsWith("Bytes", StringComparison.Ordinal):
                    text.Append(' ').Append(Human.Memory(property.Value.GetInt64())).Append('\n');
                    break;
                default:
                    text.Append(' ').Append(property.Value).Append('\n');
                    break;
            }
        }
    }

    /// <summary><c>memoryBytes</c> → <c>Memory</c>, <c>guestVersion</c> → <c>Guest version</c>.</summary>
    private static string Words(string name)
    {
        if (name.EndsWith("Bytes", StringComparison.Ordinal))
            name = name[..^"Bytes".Length];
        var words = new StringBuilder();
        foreach (char letter in name)
        {
            if (words.Length == 0)
                words.Append(char.ToUpperInvariant(letter));
            else if (char.IsUpper(letter))
                words.Append(' ').Append(char.ToLowerInvariant(letter));
            else
                words.Append(letter);
        }
        return words.ToString();
    }
}
