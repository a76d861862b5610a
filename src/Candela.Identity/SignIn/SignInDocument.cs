using System.Text.Json.Serialization;

namespace Candela.Identity.SignIn;

/// <summary>How far somebody has come.</summary>
internal enum SignInStage
{
    /// <summary>The password is right; a code is needed.</summary>
    Code,

    /// <summary>All is right, but another password must be chosen.</summary>
    NewPassword,

    /// <summary>Signed in.</summary>
    Complete,
}

/// <summary>A session as stored.</summary>
internal sealed record SignInDocument
{
    public required Guid AccountId { get; init; }

    public required SignInStage Stage { get; init; }

    /// <summary>When the account was proved.</summary>
    public required DateTimeOffset SignedInAt { get; init; }

    /// <summary>When the session began; null: then.</summary>
    public DateTimeOffset? BegunAt { get; init; }

    /// <summary>When it was last used, to the minute.</summary>
    public required DateTimeOffset UsedAt { get; init; }

    public required IReadOnlyList<string> Methods { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SignInDocument))]
internal sealed partial class SignInJson : JsonSerializerContext;
