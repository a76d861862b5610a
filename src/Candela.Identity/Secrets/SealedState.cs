using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Candela.Identity.Jose;

namespace Candela.Identity.Secrets;

/// <summary>What the browser carries from one address to the next: sealed, so that it can be neither read, changed nor made up.</summary>
internal static class SealedState
{
    /// <summary>Longest text, characters.</summary>
    private const int Length = 16 * 1024;

    public static string Seal<T>(this ISecretBox secrets, T value, JsonTypeInfo<T> type) =>
        Base64UrlText.Encode(secrets.Seal(JsonSerializer.SerializeToUtf8Bytes(value, type), PlaceOf(type)));

    /// <summary>Null: it is not what was sealed.</summary>
    public static T? TryOpen<T>(this ISecretBox secrets, string? text, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return text is { Length: <= Length } && Base64UrlText.TryDecode(text) is { } envelope ? JsonSerializer.Deserialize(secrets.Open(envelope, PlaceOf(type)), type) : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string PlaceOf(JsonTypeInfo type) => $"browser state {type.Type.Name}";
}
