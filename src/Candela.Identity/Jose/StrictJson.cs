using System.Text.Json;
using System.Text.Unicode;

namespace Candela.Identity.Jose;

/// <summary>
/// Reads JSON objects of others: no name twice, no comments, no trailing commas, little nesting, and text that is text, without halves of
/// surrogate pairs.
/// </summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <exception cref="JoseException">Not a JSON object.</exception>
    public static JsonElement ReadObject(ReadOnlyMemory<byte> utf8, string what)
    {
        if (!Utf8.IsValid(utf8.Span))
            throw new JoseException($"{what} is not UTF-8");
        try
        {
            using var document = JsonDocument.Parse(utf8, Options);
            CheckText(document.RootElement);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document.RootElement.Clone();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: an escape that is half a surrogate pair.
            throw new JoseException($"{what} is not JSON, or has a name twice", e);
        }

        throw new JoseException($"{what} is not a JSON object");
    }

    /// <summary>A string member; null: it is not there.</summary>
    /// <exception cref="JoseException">It is there, but not a string.</exception>
    public static string? Text(this JsonElement value, string name) => !value.TryGetProperty(name, out var member) ? null
        : member.ValueKind == JsonValueKind.String ? member.GetString()
        : throw new JoseException($"{name} is not a string");

    /// <summary>Throws where a name or a text cannot be had.</summary>
    private static void CheckText(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    _ = member.Name;
                    CheckText(member.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                    CheckText(item);
                break;
            case JsonValueKind.String:
                _ = value.GetString();
                break;
        }
    }
}
