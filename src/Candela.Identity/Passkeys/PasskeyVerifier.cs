using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Candela.Identity.Jose;

namespace Candela.Identity.Passkeys;

/// <summary>The relying party's checks (WebAuthn Level 2, 7.1 and 7.2), without state.</summary>
/// <param name="relyingPartyId">Host name of the pages.</param>
/// <param name="origin">Origin of the pages.</param>
internal sealed class PasskeyVerifier(string relyingPartyId, string origin)
{
    /// <summary>Largest message of a browser, characters.</summary>
    public const int MessageLength = 32 * 1024;

    private readonly byte[] _relyingPartyHash = SHA256.HashData(Encoding.UTF8.GetBytes(relyingPartyId));

    /// <summary>A new credential.</summary>
    /// <param name="json">What the browser sent.</param>
    /// <param name="challenge">What it was asked with.</param>
    /// <param name="name">What its owner calls it.</param>
    /// <param name="now">Present time.</param>
    /// <exception cref="PasskeyException">It is not good.</exception>
    public PasskeyDocument VerifyRegistration(string json, byte[] challenge, string name, DateTimeOffset now)
    {
        var message = Parse(json, PasskeyJson.Default.RegistrationMessage);
        var clientData = Decode(message.Response.ClientData);
        CheckClientData(clientData, "webauthn.create", challenge);
        var attestation = AttestationObject.Read(Decode(message.Response.AttestationObject));
        CheckAuthenticator(attestation.Data);
        if (!attestation.Data.IsUserVerified)
            throw new PasskeyException("the authenticator has not asked who uses it");
        if (attestation.Data is not { CredentialId: { } id, Key: { } key } || message.Type != "public-key" || !Decode(message.Id).AsSpan().SequenceEqual(id))
            throw new PasskeyException("no credential was made");
        if (attestation.Signature is { } signature && (attestation.Algorithm != key.Algorithm || !Verify(key.PublicKey, key.Algorithm, attestation.RawData, clientData, signature)))
            throw new PasskeyException("the attestation's signature is wrong");
        return new PasskeyDocument(id, key.PublicKey, key.Algorithm, attestation.Data.Counter, name, now, null);
    }

    /// <summary>Reads a proof; nothing of it is proven.</summary>
    /// <exception cref="PasskeyException">It is none.</exception>
    public static (AssertionMessage Message, byte[] CredentialId) ReadAssertion(string json)
    {
        var message = Parse(json, PasskeyJson.Default.AssertionMessage);
        return message.Type == "public-key" ? (message, Decode(message.Id)) : throw new PasskeyException("the proof is not by a public key");
    }

    /// <summary>A proof by a credential.</summary>
    /// <param name="message">What the browser sent.</param>
    /// <param name="passkey">The credential.</param>
    /// <param name="challenge">What it was asked with.</param>
    /// <param name="now">Present time.</param>
    /// <returns>The credential after its use, and what the authenticator says.</returns>
    /// <exception cref="PasskeyException">It is not good.</exception>
    public (PasskeyDocument Used, AuthenticatorData Data) VerifyAssertion(AssertionMessage message, PasskeyDocument passkey, byte[] challenge, DateTimeOffset now)
    {
        var clientData = Decode(message.Response.ClientData);
        CheckClientData(clientData, "webauthn.get", challenge);
        var raw = Decode(message.Response.AuthenticatorData);
        var data = AuthenticatorData.Read(raw);
        CheckAuthenticator(data);
        if (!data.IsUserVerified)
            throw new PasskeyException("the authenticator has not asked who uses it");
        if (!Verify(passkey.PublicKey, passkey.Algorithm, raw, clientData, Decode(message.Response.Signature)))
            throw new PasskeyException("the signature is wrong");
        // Who counts must count upwards: else there are two of this key (WebAuthn Level 2, 6.1.1).
        if ((data.Counter != 0 || passkey.Counter != 0) && data.Counter <= passkey.Counter)
            throw new PasskeyException("the authenticator's counter went back: the key may have been copied");
        return (passkey with { Counter = data.Counter, UsedAt = now }, data);
    }

    private void CheckClientData(byte[] json, string type, byte[] challenge)
    {
        ClientData data;
        try
        {
            data = JsonSerializer.Deserialize(json, PasskeyJson.Default.ClientData) ?? throw new PasskeyException("the browser's data is empty");
        }
        catch (JsonException e)
        {
            throw new PasskeyException("the browser's data is malformed", e);
        }

        if (data.Type != type)
            throw new PasskeyException("the browser's data is about something else");
        if (Base64UrlText.TryDecode(data.Challenge) is not { } given || !CryptographicOperations.FixedTimeEquals(given, challenge))
            throw new PasskeyException("the browser's data answers another challenge");
        if (data.Origin != origin || data.CrossOrigin)
            throw new PasskeyException("the passkey was used at another site");
    }

    private void CheckAuthenticator(AuthenticatorData data)
    {
        if (!CryptographicOperations.FixedTimeEquals(data.RelyingPartyHash, _relyingPartyHash))
            throw new PasskeyException("the passkey is for another site");
        if (!data.IsUserPresent)
            throw new PasskeyException("nobody touched the authenticator");
    }

    private static bool Verify(byte[] publicKey, int algorithm, byte[] data, byte[] clientData, byte[] signature)
    {
        try
        {
            return CoseKey.Verify(publicKey, algorithm, [.. data, .. SHA256.HashData(clientData)], signature);
        }
        catch (CryptographicException e)
        {
            throw new PasskeyException("the signature is malformed", e);
        }
    }

    private static T Parse<T>(string json, JsonTypeInfo<T> type)
    {
        try
        {
            if (json.Length is > 0 and <= MessageLength && JsonSerializer.Deserialize(json, type) is { } read)
                return read;
        }
        catch (JsonException e)
        {
            throw new PasskeyException("the browser's message is malformed", e);
        }

        throw new PasskeyException("the browser's message is empty or too large");
    }

    private static byte[] Decode(string text) => Base64UrlText.TryDecode(text) ?? throw new PasskeyException("the browser's message is malformed");
}
