using System.Buffers.Binary;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Jose;
using Candela.Identity.Passkeys;
using Candela.Identity.Tests.Tools;

namespace Candela.Identity.Tests.Passkeys;

/// <summary>An authenticator made here that also does what none should.</summary>
public sealed class PasskeyTests
{
    private const string Origin = "https://id.test";
    private const byte Present = 1, Verified = 4, Attested = 64;

    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(50);
    private static readonly byte[] Challenge = RandomNumberGenerator.GetBytes(32);
    private static readonly byte[] CredentialId = RandomNumberGenerator.GetBytes(16);
    private static readonly ECDsa Key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private readonly PasskeyVerifier _verifier = new("id.test", Origin);

    [Fact]
    public void A_good_registration_and_a_good_proof_are_taken()
    {
        var passkey = _verifier.VerifyRegistration(Registration(), Challenge, "Laptop", Now);
        Assert.Equal((CoseKey.Es256, 1u), (passkey.Algorithm, passkey.Counter));
        var (used, data) = _verifier.VerifyAssertion(Assertion(counter: 2), passkey, Challenge, Now);
        Assert.Equal(2u, used.Counter);
        Assert.False(data.IsBackupEligible);
        // With the credential's own attestation, too.
        _verifier.VerifyRegistration(Registration(format: "packed"), Challenge, "Laptop", Now);
    }

    [Fact]
    public void Registrations_for_elsewhere_or_malformed_are_refused()
    {
        Refuse(Registration(origin: "https://id.test.evil.test"));
        Refuse(Registration(origin: "https://id.test:8443"));
        Refuse(Registration(relyingParty: "evil.test"));
        Refuse(Registration(type: "webauthn.get"));
        Refuse(Registration(challenge: RandomNumberGenerator.GetBytes(32)));
        Refuse(Registration(flags: Attested | Verified));
        Refuse(Registration(flags: Attested | Present));
        Refuse(Registration(flags: Present | Verified));
        Refuse(Registration(id: RandomNumberGenerator.GetBytes(16)));
        Refuse(Registration(format: "packed", attestationKey: ECDsa.Create(ECCurve.NamedCurves.nistP256)));
        Refuse(Registration(format: "tpm"));
        Refuse(Registration(more: ",\"crossOrigin\":true"));
        Refuse(Registration(more: ",\"origin\":\"https://id.test\""));
        Refuse("{}");
        Refuse("");

        void Refuse(string json) => Assert.Throws<PasskeyException>(() => _verifier.VerifyRegistration(json, Challenge, "x", Now));
    }

    [Fact]
    public void Proofs_for_elsewhere_of_others_or_again_are_refused()
    {
        var passkey = _verifier.VerifyRegistration(Registration(), Challenge, "Laptop", Now);
        Refuse(Assertion(counter: 1));
        Refuse(Assertion(counter: 0));
        Refuse(Assertion(counter: 2, origin: "https://evil.test"));
        Refuse(Assertion(counter: 2, relyingParty: "evil.test"));
        Refuse(Assertion(counter: 2, type: "webauthn.create"));
        Refuse(Assertion(counter: 2, challenge: RandomNumberGenerator.GetBytes(32)));
        Refuse(Assertion(counter: 2, flags: Present));
        Refuse(Assertion(counter: 2, flags: Verified));
        Refuse(Assertion(counter: 2, key: ECDsa.Create(ECCurve.NamedCurves.nistP256)));

        void Refuse(AssertionMessage message) => Assert.Throws<PasskeyException>(() => _verifier.VerifyAssertion(message, passkey, Challenge, Now));
    }

    [Fact]
    public void Whatever_a_browser_sends_is_read_or_refused()
    {
        var good = AttestationBytes("none", Authenticator(Present | Verified | Attested, 1, "id.test", withCredential: true), null);
        var data = Authenticator(Present | Verified | Attested, 1, "id.test", withCredential: true);
        var mutator = new Mutator(14);
        for (var i = 0; i < Mutator.Count; i++)
        {
            try
            {
                if (i % 2 == 0)
                    AttestationObject.Read(mutator.Next(good));
                else
                    AuthenticatorData.Read(mutator.Next(data));
            }
            catch (PasskeyException)
            {
            }
        }
    }

    private static string Registration(
        string origin = Origin, string relyingParty = "id.test", string type = "webauthn.create", byte[]? challenge = null, byte flags = Present | Verified | Attested, byte[]? id = null, string format = "none", ECDsa? attestationKey = null, string more = "")
    {
        var clientData = ClientData(type, challenge ?? Challenge, origin, more);
        var data = Authenticator(flags, 1, relyingParty, (flags & Attested) != 0);
        var signature = format == "packed" ? (attestationKey ?? Key).SignData([.. data, .. SHA256.HashData(clientData)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence) : null;
        return JsonSerializer.Serialize(
            new RegistrationMessage(Base64UrlText.Encode(id ?? CredentialId), "public-key", new RegistrationResponse(Base64UrlText.Encode(clientData), Base64UrlText.Encode(AttestationBytes(format, data, signature)))),
            PasskeyJson.Default.RegistrationMessage);
    }

    private static AssertionMessage Assertion(
        uint counter, string origin = Origin, string relyingParty = "id.test", string type = "webauthn.get", byte[]? challenge = null, byte flags = Present | Verified, ECDsa? key = null)
    {
        var clientData = ClientData(type, challenge ?? Challenge, origin);
        var data = Authenticator(flags, counter, relyingParty, withCredential: false);
        var signature = (key ?? Key).SignData([.. data, .. SHA256.HashData(clientData)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return new AssertionMessage(Base64UrlText.Encode(CredentialId), "public-key", new AssertionResponse(Base64UrlText.Encode(clientData), Base64UrlText.Encode(data), Base64UrlText.Encode(signature)));
    }

    private static byte[] ClientData(string type, byte[] challenge, string origin, string more = "") =>
        Encoding.UTF8.GetBytes($$"""{"type":"{{type}}","challenge":"{{Base64UrlText.Encode(challenge)}}","origin":"{{origin}}","other_keys_can_be_added_here":"x"{{more}}}""");

    private static byte[] Authenticator(byte flags, uint counter, string relyingParty, bool withCredential)
    {
        var data = new List<byte>(SHA256.HashData(Encoding.UTF8.GetBytes(relyingParty))) { flags };
        var number = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(number, counter);
        data.AddRange(number);
        if (!withCredential)
            return [.. data];
        data.AddRange(new byte[16]);
        data.AddRange([0, (byte)CredentialId.Length, .. CredentialId]);
        var point = Key.ExportParameters(includePrivateParameters: false).Q;
        var writer = new CborWriter();
        writer.WriteStartMap(5);
        writer.WriteInt32(1);
        writer.WriteInt32(2);
        writer.WriteInt32(3);
        writer.WriteInt32(-7);
        writer.WriteInt32(-1);
        writer.WriteInt32(1);
        writer.WriteInt32(-2);
        writer.WriteByteString(point.X!);
        writer.WriteInt32(-3);
        writer.WriteByteString(point.Y!);
        writer.WriteEndMap();
        data.AddRange(writer.Encode());
        return [.. data];
    }

    private static byte[] AttestationBytes(string format, byte[] data, byte[]? signature)
    {
        var writer = new CborWriter();
        writer.WriteStartMap(3);
        writer.WriteTextString("fmt");
        writer.WriteTextString(format);
        writer.WriteTextString("attStmt");
        writer.WriteStartMap(signature is null ? 0 : 2);
        if (signature is not null)
        {
            writer.WriteTextString("alg");
            writer.WriteInt32(-7);
            writer.WriteTextString("sig");
            writer.WriteByteString(signature);
        }

        writer.WriteEndMap();
        writer.WriteTextString("authData");
        writer.WriteByteString(data);
        writer.WriteEndMap();
        return writer.Encode();
    }
}
