using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Candela.Identity.Jose;
using Candela.Identity.Secrets;

namespace Candela.Identity.Saml.Sessions;

/// <summary>What the browser carries from one address to the next: sealed, so that it can be neither read, changed nor made up.</summary>
internal static class SealedState
{
    public static string Seal<T>(this ISecretBox secrets, T value, JsonTypeInfo<T> type) =>
        Base64UrlText.Encode(secrets.Seal(JsonSerializer.SerializeToUtf8Bytes(value, type), PlaceOf(type)));

    /// <exception cref="SamlException">It is not what was sealed.</exception>
    public static T Open<T>(this ISecretBox secrets, string? text, JsonTypeInfo<T> type)
    {
        try
        {
            if (text is { Length: <= SamlLimits.QueryLength } && Base64UrlText.TryDecode(text) is { } envelope)
                return JsonSerializer.Deserialize(secrets.Open(envelope, PlaceOf(type)), type)!;
        }
        catch (CryptographicException e)
        {
            throw new SamlException("the address is not one that leads here: go back to the program that you want to use", e);
        }

        throw new SamlException("the address is not one that leads here: go back to the program that you want to use");
    }

    private static string PlaceOf(JsonTypeInfo type) => $"saml address {type.Type.Name}";
}
