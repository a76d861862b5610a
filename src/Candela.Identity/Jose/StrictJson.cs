using System.Text.Json;

namespace Candela.Identity.Jose;

/// <summary>Reads JSON objects of others: no name twice, no comments, no trailing commas, little nesting.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <exception cref="JoseException">Not a JSON object.</exception>
    public static JsonElement ReadObject(ReadOnlyMemory<byte> utf8, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8, Options);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new JoseException($"{what} is not JSON, or has a name twice", e);
        }

        throw new JoseException($"{what} is not a JSON object");
    }

    /// <summary>A string member; null: it is not there.</summary>
    /// <exception cref="JoseException">It is there, but not a string.</exception>
    public static string? Text(this JsonElement value, string name) => !value.TryGetProperty(name, out var member) ? null : member.TryText(out var text)
        ? text
        : throw new JoseException($"{name} is not a string");

    /// <summary>A value's text; false: it is no string, or holds half a surrogate pair.</summary>
    public static bool TryText(this JsonElement value, out string text)
    {
        text = "";
        if (value.ValueKind != JsonValueKind.String)
            return false;
        try
        {
            text = value.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
