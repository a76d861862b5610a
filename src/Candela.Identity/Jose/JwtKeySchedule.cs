using System.Text.Json.Serialization;

namespace Candela.Identity.Jose;

/// <summary>Where keys are, and when one takes over from another.</summary>
/// <param name="Place">Key of their document in the state store.</param>
/// <param name="TokenLifetime">How long what they sign is valid at most: so long a key is published when it signs no more.</param>
/// <param name="KeyLifetime">How long a key signs.</param>
/// <param name="Announcement">How long a key is published before it signs.</param>
internal sealed record JwtKeySchedule(string Place, TimeSpan TokenLifetime, TimeSpan KeyLifetime, TimeSpan Announcement)
{
    /// <summary>What the keys sign by: ES256 or RS256.</summary>
    public JwsAlgorithm Algorithm { get; init; } = JwsAlgorithm.Es256;
}

/// <summary>Keys that sign tokens, in the order in which they sign.</summary>
/// <param name="Keys">Keys.</param>
internal sealed record JwtKeysDocument(IReadOnlyList<JwtKeyDocument> Keys);

/// <summary>A key that signs tokens.</summary>
/// <param name="Id">Its <c>kid</c>: its thumbprint.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo.</param>
/// <param name="Key">PKCS #8, sealed.</param>
/// <param name="SignsFrom">From when on it signs; before, it is only published.</param>
internal sealed record JwtKeyDocument(string Id, byte[] PublicKey, byte[] Key, DateTimeOffset SignsFrom);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JwtKeysDocument))]
internal sealed partial class JoseJson : JsonSerializerContext;
