using System.Security.Cryptography;

namespace Candela.Identity.Secrets;

/// <summary>
/// Keeps secrets that the platform must be able to read again (private keys, shared keys, seeds) encrypted in the state store. Passwords do
/// not belong here: they are hashed. Safe for use from many threads.
/// </summary>
public interface ISecretBox
{
    /// <summary>Encrypts a secret and binds it to a place.</summary>
    /// <param name="secret">The secret; at most <see cref="SecretBox.SecretBytes"/> bytes. The caller clears it.</param>
    /// <param name="place">Where it will be kept, for example the key in the state store: moved elsewhere, it does not open.</param>
    byte[] Seal(ReadOnlySpan<byte> secret, string place);

    /// <summary>Decrypts what <see cref="Seal"/> made for the same place. The caller clears the result.</summary>
    /// <exception cref="CryptographicException">It was changed, belongs elsewhere, or its key is not in the key file.</exception>
    byte[] Open(ReadOnlySpan<byte> envelope, string place);
}
