namespace Candela.Identity.Saml.Keys;

/// <summary>Signing keys, in the order in which they sign.</summary>
/// <param name="Keys">The keys.</param>
internal sealed record SamlKeysDocument(IReadOnlyList<SamlKeyDocument> Keys);

/// <summary>A signing key.</summary>
/// <param name="Id">Id.</param>
/// <param name="Certificate">Certificate (DER).</param>
/// <param name="SealedKey">Private key (PKCS #8), sealed.</param>
/// <param name="SignsFrom">When it begins to sign.</param>
internal sealed record SamlKeyDocument(string Id, byte[] Certificate, byte[] SealedKey, DateTimeOffset SignsFrom);
