using System.Text.Json.Serialization;

namespace Candela.Identity.Acme.Http;

/// <summary>The directory (RFC 8555, section 7.1.1).</summary>
internal sealed record DirectoryBody(string NewNonce, string NewAccount, string NewOrder, string RevokeCert, string KeyChange, DirectoryMeta Meta);

internal sealed record DirectoryMeta(bool ExternalAccountRequired);

/// <summary>An account (section 7.1.2).</summary>
internal sealed record AccountBody(string Status, IReadOnlyList<string> Contact, string Orders);

internal sealed record OrdersBody(IReadOnlyList<string> Orders);

internal sealed record IdentifierBody(string Type, string Value);

/// <summary>An order (section 7.1.3).</summary>
internal sealed record OrderBody(
    string Status, DateTimeOffset Expires, IReadOnlyList<IdentifierBody> Identifiers, IReadOnlyList<string> Authorizations, string Finalize, string? Certificate, ProblemBody? Error);

/// <summary>An authorization (section 7.1.4).</summary>
internal sealed record AuthorizationBody(string Status, DateTimeOffset Expires, IdentifierBody Identifier, IReadOnlyList<ChallengeBody> Challenges);

/// <summary>A challenge (section 7.1.5).</summary>
internal sealed record ChallengeBody(string Type, string Url, string Status, string Token, DateTimeOffset? Validated, ProblemBody? Error);

/// <summary>A problem (section 6.7, RFC 9457).</summary>
internal sealed record ProblemBody(string Type, string Detail, int? Status = null, IReadOnlyList<string>? Algorithms = null)
{
    public const string MediaType = "application/problem+json";

    public static ProblemBody Of(AcmeError error) => new(Urn(error.Type), error.Detail);

    public static string Urn(string type) => $"urn:ietf:params:acme:error:{type}";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DirectoryBody))]
[JsonSerializable(typeof(AccountBody))]
[JsonSerializable(typeof(OrdersBody))]
[JsonSerializable(typeof(OrderBody))]
[JsonSerializable(typeof(AuthorizationBody))]
[JsonSerializable(typeof(ChallengeBody))]
[JsonSerializable(typeof(ProblemBody))]
internal sealed partial class AcmeBodies : JsonSerializerContext;
