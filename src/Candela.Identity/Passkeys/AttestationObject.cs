using System.Formats.Cbor;

namespace Candela.Identity.Passkeys;

/// <summary>A new credential (WebAuthn Level 2, 6.5.4). We ask for no attestation; the formats are those that come then.</summary>
/// <param name="Format"><c>none</c>, or <c>packed</c> with the credential's own key.</param>
/// <param name="Data">The authenticator's data.</param>
/// <param name="RawData">It as it was signed.</param>
/// <param name="Algorithm">Algorithm of the statement; null: no statement.</param>
/// <param name="Signature">Signature of the statement; null: no statement.</param>
internal sealed record AttestationObject(string Format, AuthenticatorData Data, byte[] RawData, long? Algorithm, byte[]? Signature)
{
    /// <exception cref="PasskeyException">It is malformed, or of another format.</exception>
    public static AttestationObject Read(byte[] cbor)
    {
        var (read, rest) = Cbor.Read(cbor, ReadMap);
        return rest.IsEmpty ? read : throw new PasskeyException("something follows the attestation");
    }

    private static AttestationObject ReadMap(CborReader reader)
    {
        string? format = null;
        byte[]? data = null, signature = null;
        long? algorithm = null;
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadTextString())
            {
                case "fmt": format = reader.ReadTextString(); break;
                case "authData": data = reader.ReadByteString(); break;
                case "attStmt": (algorithm, signature) = ReadStatement(reader); break;
                default: throw new PasskeyException("the attestation holds something unknown");
            }
        }

        reader.ReadEndMap();
        if (data is null || format is not ("none" or "packed") || (format == "none") != (signature is null))
            throw new PasskeyException("the attestation is neither none nor the credential's own");
        return new AttestationObject(format, AuthenticatorData.Read(data), data, algorithm, signature);
    }

    private static (long? Algorithm, byte[]? Signature) ReadStatement(CborReader reader)
    {
        long? algorithm = null;
        byte[]? signature = null;
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadTextString())
            {
                case "alg": algorithm = reader.ReadInt64(); break;
                case "sig": signature = reader.ReadByteString(); break;
                // A certificate of the maker: nothing that was asked for, and no trust is put in it.
                default: throw new PasskeyException("the attestation statement holds more than was asked for");
            }
        }

        reader.ReadEndMap();
        return (algorithm, signature);
    }
}
