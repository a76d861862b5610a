using System.Buffers.Binary;

namespace Candela.Identity.Passkeys;

/// <summary>What the authenticator signs (WebAuthn Level 2, 6.1).</summary>
/// <param name="RelyingPartyHash">SHA-256 of the relying party's id.</param>
/// <param name="Flags">See the constants.</param>
/// <param name="Counter">Signature counter.</param>
/// <param name="CredentialId">Id of a new credential; null: none is made.</param>
/// <param name="Key">Key of a new credential; null: none is made.</param>
internal sealed record AuthenticatorData(byte[] RelyingPartyHash, byte Flags, uint Counter, byte[]? CredentialId, CoseKey? Key)
{
    private const int HashBytes = 32;
    private const int HeaderBytes = HashBytes + 1 + sizeof(uint);
    private const int AaguidBytes = 16;
    private const int CredentialIdBytes = 1023;
    private const byte UserPresent = 1 << 0;
    private const byte UserVerified = 1 << 2;
    private const byte BackupEligible = 1 << 3;
    private const byte HasCredential = 1 << 6;
    private const byte HasExtensions = 1 << 7;

    /// <summary>Somebody touched it.</summary>
    public bool IsUserPresent => (Flags & UserPresent) != 0;

    /// <summary>It has asked for a PIN, a fingerprint or the like.</summary>
    public bool IsUserVerified => (Flags & UserVerified) != 0;

    /// <summary>The key may be copied to other devices of its owner.</summary>
    public bool IsBackupEligible => (Flags & BackupEligible) != 0;

    /// <exception cref="PasskeyException">It is malformed.</exception>
    public static AuthenticatorData Read(byte[] data)
    {
        if (data.Length < HeaderBytes)
            throw new PasskeyException("the authenticator's data is too short");
        byte flags = data[HashBytes];
        uint counter = BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(HashBytes + 1));
        byte[]? id = null;
        CoseKey? key = null;
        ReadOnlyMemory<byte> rest = data.AsMemory(HeaderBytes);
        if ((flags & HasCredential) != 0)
        {
            if (rest.Length < AaguidBytes + sizeof(ushort))
                throw new PasskeyException("the authenticator's data is too short");
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest.Span[AaguidBytes..]);
            rest = rest[(AaguidBytes + sizeof(ushort))..];
            if (length is 0 or > CredentialIdBytes || length > rest.Length)
                throw new PasskeyException("the credential's id has no good length");
            id = rest[..length].ToArray();
            rest = rest[length..];
            (key, rest) = Cbor.Read(rest, CoseKey.Read);
        }

        if ((flags & HasExtensions) != 0)
        {
            (_, rest) = Cbor.Read(rest, reader =>
            {
                reader.SkipValue();
                return true;
            });
        }

        return rest.IsEmpty ? new AuthenticatorData(data[..HashBytes], flags, counter, id, key) : throw new PasskeyException("the authenticator's data is too long");
    }
}
