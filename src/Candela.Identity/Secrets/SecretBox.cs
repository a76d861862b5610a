using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Candela.Identity.Secrets;

/// <summary>
/// AES-256-GCM under keys that a key file of the machine holds, never the state store. Each envelope has a key of its own, derived by
/// HKDF-SHA256 (RFC 5869) from the master key and a random salt: no nonce can ever repeat, however many envelopes there are.
/// </summary>
/// <remarks>Envelope: version (1 byte), id of the master key (4, big-endian), salt (32), ciphertext, tag (16).</remarks>
public sealed class SecretBox : ISecretBox, IDisposable
{
    /// <summary>Largest secret, bytes.</summary>
    public const int SecretBytes = 64 * 1024;

    /// <summary>Bytes of a master key.</summary>
    internal const int KeyBytes = 32;

    private const byte Version = 1;
    private const int SaltBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int HeaderBytes = 1 + sizeof(uint) + SaltBytes;

    private static readonly byte[] Label = "candela secret box 1"u8.ToArray();

    private readonly Dictionary<uint, byte[]> _keys;
    private readonly uint _current;

    /// <param name="keys">Master keys by id.</param>
    /// <param name="current">Id of the one that seals.</param>
    internal SecretBox(IReadOnlyDictionary<uint, byte[]> keys, uint current)
    {
        if (!keys.ContainsKey(current) || keys.Values.Any(k => k.Length != KeyBytes))
            throw new ArgumentException($"Master keys have {KeyBytes} bytes, and the current one is among them.", nameof(keys));
        _keys = keys.ToDictionary(k => k.Key, k => k.Value);
        _current = current;
    }

    /// <summary>Reads the key file; makes it, with one new key, when it is not there.</summary>
    /// <param name="path">Key file; only its owner may read it. Lose it and all sealed secrets are lost: it belongs in the backup.</param>
    /// <exception cref="InvalidDataException">It is open to others or not a key file; the message says which.</exception>
    public static SecretBox Open(string path) => SecretKeyFile.Open(path);

    /// <inheritdoc/>
    public byte[] Seal(ReadOnlySpan<byte> secret, string place)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(secret.Length, SecretBytes);
        var envelope = new byte[HeaderBytes + secret.Length + TagBytes];
        envelope[0] = Version;
        BinaryPrimitives.WriteUInt32BigEndian(envelope.AsSpan(1), _current);
        RandomNumberGenerator.Fill(envelope.AsSpan(1 + sizeof(uint), SaltBytes));
        using var cipher = Cipher(_keys[_current], envelope.AsSpan(0, HeaderBytes), out var nonce);
        cipher.Encrypt(
            nonce, secret, envelope.AsSpan(HeaderBytes, secret.Length), envelope.AsSpan(HeaderBytes + secret.Length), Encoding.UTF8.GetBytes(place));
        return envelope;
    }

    /// <inheritdoc/>
    public byte[] Open(ReadOnlySpan<byte> envelope, string place)
    {
        if (envelope.Length is < HeaderBytes + TagBytes or > HeaderBytes + SecretBytes + TagBytes || envelope[0] != Version)
            throw new CryptographicException("A sealed secret is damaged, or of a format that this version does not know.");
        uint id = BinaryPrimitives.ReadUInt32BigEndian(envelope[1..]);
        if (!_keys.TryGetValue(id, out var key))
            throw new CryptographicException($"A secret is sealed by master key {id:x8}, which the key file does not have: restore the key file.");
        using var cipher = Cipher(key, envelope[..HeaderBytes], out var nonce);
        var secret = new byte[envelope.Length - HeaderBytes - TagBytes];
        cipher.Decrypt(nonce, envelope[HeaderBytes..^TagBytes], envelope[^TagBytes..], secret, Encoding.UTF8.GetBytes(place));
        return secret;
    }

    /// <summary>Clears the master keys.</summary>
    public void Dispose()
    {
        foreach (var key in _keys.Values)
            CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Cipher of one envelope: the header's version and key id go into the derivation, too.</summary>
    private static AesGcm Cipher(byte[] master, ReadOnlySpan<byte> header, out byte[] nonce)
    {
        Span<byte> derived = stackalloc byte[KeyBytes + NonceBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, master, derived, header[^SaltBytes..], [.. Label, .. header[..^SaltBytes]]);
        nonce = derived[KeyBytes..].ToArray();
        var cipher = new AesGcm(derived[..KeyBytes], TagBytes);
        CryptographicOperations.ZeroMemory(derived);
        return cipher;
    }
}
