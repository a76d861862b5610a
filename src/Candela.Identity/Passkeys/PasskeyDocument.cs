namespace Candela.Identity.Passkeys;

/// <summary>A passkey, as part of what an account proves itself by.</summary>
/// <param name="Id">Credential id, the authenticator's choice.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo (DER).</param>
/// <param name="Algorithm">COSE algorithm: -7 (ES256) or -257 (RS256).</param>
/// <param name="Counter">Signature counter at the last use; 0: the authenticator has none.</param>
/// <param name="Name">What its owner calls it.</param>
/// <param name="CreatedAt">When it was registered.</param>
/// <param name="UsedAt">When it was last used; null: never.</param>
internal sealed record PasskeyDocument(byte[] Id, byte[] PublicKey, int Algorithm, uint Counter, string Name, DateTimeOffset CreatedAt, DateTimeOffset? UsedAt);
