using System.Text.Json;

namespace Candela.Identity.Federation.OpenId;

/// <summary>What claims say of somebody.</summary>
internal static class ClaimMapping
{
    private const int GroupCount = 1000;

    /// <summary>The profile in an ID token that has been verified.</summary>
    public static UpstreamProfile Read(IdentityProvider provider, JsonElement claims)
    {
        string? Text(string attribute) => claims.TryGetProperty(provider.SourceOf(attribute), out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return new UpstreamProfile(claims.GetProperty("sub").GetString()!)
        {
            Name = Text(ProfileAttributes.Name)?.Split('@')[0],
            DisplayName = Text(ProfileAttributes.DisplayName),
            GivenName = Text(ProfileAttributes.GivenName),
            Surname = Text(ProfileAttributes.Surname),
            // An address that nobody has verified says what its user likes it to say.
            Mail = claims.TryGetProperty("email_verified", out var verified) && verified.ValueKind == JsonValueKind.True ? Text(ProfileAttributes.Mail) : null,
            Groups = claims.TryGetProperty(provider.SourceOf(ProfileAttributes.Groups), out var groups) ? GroupsOf(groups) : [],
        };
    }

    private static IReadOnlyList<string> GroupsOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => [.. value.EnumerateArray().Take(GroupCount).Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!)],
        _ => [],
    };
}
