using System.Text.Json.Serialization;

namespace Candela.Identity.Passkeys;

/// <summary>What the browser signs besides (WebAuthn Level 2, 5.8.1); members that are not named here may be there, too.</summary>
internal sealed record ClientData(string Type, string Challenge, string Origin, bool CrossOrigin = false);

/// <summary>A new credential, as <c>PublicKeyCredential.toJSON()</c> gives it.</summary>
internal sealed record RegistrationMessage(string Id, string Type, RegistrationResponse Response);

internal sealed record RegistrationResponse([property: JsonPropertyName("clientDataJSON")] string ClientData, string AttestationObject);

/// <summary>A proof by a credential, as <c>PublicKeyCredential.toJSON()</c> gives it.</summary>
internal sealed record AssertionMessage(string Id, string Type, AssertionResponse Response);

internal sealed record AssertionResponse([property: JsonPropertyName("clientDataJSON")] string ClientData, string AuthenticatorData, string Signature, string? UserHandle = null);

/// <summary>What a browser is asked for when a credential is to be made (WebAuthn Level 2, 5.4).</summary>
internal sealed record CreationOptions(
    RelyingParty Rp,
    UserEntity User,
    string Challenge,
    IReadOnlyList<CredentialParameters> PubKeyCredParams,
    long Timeout,
    IReadOnlyList<CredentialDescriptor> ExcludeCredentials,
    AuthenticatorSelection AuthenticatorSelection,
    string Attestation);

internal sealed record RelyingParty(string Id, string Name);

internal sealed record UserEntity(string Id, string Name, string DisplayName);

internal sealed record CredentialParameters(string Type, int Alg);

internal sealed record CredentialDescriptor(string Type, string Id);

internal sealed record AuthenticatorSelection(string ResidentKey, bool RequireResidentKey, string UserVerification);

/// <summary>What a browser is asked for when somebody is to prove who they are (WebAuthn Level 2, 5.5).</summary>
internal sealed record RequestOptions(string Challenge, string RpId, long Timeout, IReadOnlyList<CredentialDescriptor> AllowCredentials, string UserVerification);

/// <summary>A challenge, sealed into the form that brings the answer.</summary>
/// <param name="Value">The challenge.</param>
/// <param name="Purpose">What it is for.</param>
/// <param name="AccountId">Whose answer it must be; all zeros: anybody's.</param>
/// <param name="ExpiresAt">End.</param>
internal sealed record PasskeyChallenge(byte[] Value, PasskeyPurpose Purpose, Guid AccountId, DateTimeOffset ExpiresAt);

/// <summary>What a passkey is asked for.</summary>
internal enum PasskeyPurpose
{
    /// <summary>To be made.</summary>
    Registration,

    /// <summary>To sign in.</summary>
    SignIn,
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, AllowDuplicateProperties = false, MaxDepth = 8)]
[JsonSerializable(typeof(ClientData))]
[JsonSerializable(typeof(RegistrationMessage))]
[JsonSerializable(typeof(AssertionMessage))]
[JsonSerializable(typeof(CreationOptions))]
[JsonSerializable(typeof(RequestOptions))]
[JsonSerializable(typeof(PasskeyChallenge))]
internal sealed partial class PasskeyJson : JsonSerializerContext;
