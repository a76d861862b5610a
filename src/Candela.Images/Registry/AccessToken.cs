using System.Text.Json;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>A bearer token of a registry's token server.</summary>
/// <param name="Value">Opaque text for the Authorization header.</param>
/// <param name="ExpiresAt">From then on it is not used any more.</param>
internal sealed record AccessToken(string Value, DateTimeOffset ExpiresAt)
{
    private const int MaximumLength = 64 * 1024;
    private const long DefaultLifetimeSeconds = 60;
    private const long MaximumLifetimeSeconds = 24 * 60 * 60;

    /// <summary>Reads a token server's answer. Its clock is not relied on: the lifetime counts from <paramref name="askedAt"/>.</summary>
    /// <exception cref="CandelaException">Unavailable: no token in it.</exception>
    public static AccessToken Parse(ReadOnlyMemory<byte> body, DateTimeOffset askedAt, string host)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            var value = Read(root, "token") ?? Read(root, "access_token");
            if (value is null || value.Length > MaximumLength || value.Any(static character => character is <= ' ' or > '~'))
                throw new CandelaException(ErrorCode.Unavailable, $"the token server {host} sent no token");
            var seconds = root.TryGetProperty("expires_in", out var lifetime) && lifetime.ValueKind == JsonValueKind.Number && lifetime.TryGetInt64(out var given)
                ? Math.Clamp(given, DefaultLifetimeSeconds, MaximumLifetimeSeconds)
                : DefaultLifetimeSeconds;

            // A tenth is left for requests under way.
            return new AccessToken(value, askedAt + TimeSpan.FromSeconds(seconds * 0.9));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CandelaException(ErrorCode.Unavailable, $"the token server {host} sent what is no token", e);
        }
    }

    private static string? Read(JsonElement root, string name)
        => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
