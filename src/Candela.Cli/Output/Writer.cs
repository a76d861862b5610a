using System.Text;
using System.Text.Json;
using Candela.Cli.Terminal;

namespace Candela.Cli.Output;

/// <summary>Text to standard output and error.</summary>
internal static class Writer
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Out(string text) => StandardStream.Output.Write(Encoding.UTF8.GetBytes(text));

    public static void Line(string text) => Out(text + "\n");

    public static void Error(string text) => StandardStream.Error.Write(Encoding.UTF8.GetBytes(text + "\n"));

    /// <summary>JSON for programs, indented, as the daemon sent it.</summary>
    public static void Json(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        Json(document.RootElement);
    }

    public static void Json(JsonElement element)
    {
        var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Indented))
            element.WriteTo(writer);
        stream.WriteByte((byte)'\n');
        StandardStream.Output.Write(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    public static void JsonArray(IEnumerable<JsonElement> elements)
    {
        var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Indented))
        {
            writer.WriteStartArray();
            foreach (var element in elements)
                element.WriteTo(writer);
            writer.WriteEndArray();
        }
        stream.WriteByte((byte)'\n');
        StandardStream.Output.Write(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }
}
