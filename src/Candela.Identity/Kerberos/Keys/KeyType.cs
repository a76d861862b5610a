namespace Candela.Identity.Kerberos.Keys;

/// <summary>Encryption types of Kerberos keys that are used here. No others are: RC4 and DES are broken.</summary>
public enum KeyType
{
    /// <summary>aes256-cts-hmac-sha1-96 (RFC 3962): what every client knows.</summary>
    Aes256Sha1 = 18,

    /// <summary>aes256-cts-hmac-sha384-192 (RFC 8009).</summary>
    Aes256Sha384 = 20,
}
