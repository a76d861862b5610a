using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Xml;
using Candela.Identity.Saml.Protocol;

namespace Candela.Identity.Saml.Assertions;

/// <summary>
/// Encrypts an assertion for a service provider: AES-256-GCM under a fresh key (XML Encryption 1.1, 5.2.4), which RSA-OAEP wraps (5.5.2).
/// .NET's EncryptedXml knows the CBC mode only, whose padding can be probed at a service provider.
/// </summary>
internal static class AssertionEncryption
{
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>The assertion as EncryptedAssertion.</summary>
    /// <param name="assertion">The assertion, signed.</param>
    /// <param name="recipient">Certificate whose RSA key it is encrypted for.</param>
    public static XmlElement Encrypt(XmlElement assertion, X509Certificate2 recipient)
    {
        var plain = MessageWriter.Bytes(assertion);
        Span<byte> key = stackalloc byte[KeyBytes];
        RandomNumberGenerator.Fill(key);
        var cipher = new byte[NonceBytes + plain.Length + TagBytes];
        RandomNumberGenerator.Fill(cipher.AsSpan(0, NonceBytes));
        using (var aes = new AesGcm(key, TagBytes))
            aes.Encrypt(cipher.AsSpan(0, NonceBytes), plain, cipher.AsSpan(NonceBytes, plain.Length), cipher.AsSpan(NonceBytes + plain.Length));
        using var rsa = recipient.GetRSAPublicKey()!;
        var wrapped = rsa.Encrypt(key, RSAEncryptionPadding.OaepSHA1);
        CryptographicOperations.ZeroMemory(key);
        return MessageWriter.Write(writer =>
        {
            writer.WriteStartElement("saml", "EncryptedAssertion", SamlNames.Assertion);
            Begin(writer, "EncryptedData");
            writer.WriteAttributeString("Type", SamlNames.Encryption + "Element");
            Method(writer, SamlNames.Aes256Gcm, digest: null);
            writer.WriteStartElement("ds", "KeyInfo", SamlNames.Signature);
            Begin(writer, "EncryptedKey");
            // The digest is the one that this identifier implies; no collision of it helps against OAEP.
            Method(writer, SamlNames.RsaOaep, SamlNames.Signature + "sha1");
            Value(writer, wrapped);
            writer.WriteEndElement();
            writer.WriteEndElement();
            Value(writer, cipher);
            writer.WriteEndElement();
            writer.WriteEndElement();
        });
    }

    private static void Method(XmlWriter writer, string algorithm, string? digest)
    {
        Begin(writer, "EncryptionMethod");
        writer.WriteAttributeString("Algorithm", algorithm);
        if (digest is not null)
        {
            writer.WriteStartElement("ds", "DigestMethod", SamlNames.Signature);
            writer.WriteAttributeString("Algorithm", digest);
            writer.WriteEndElement();
        }

        writer.WriteEndElement();
    }

    private static void Value(XmlWriter writer, byte[] value)
    {
        Begin(writer, "CipherData");
        writer.WriteElementString("xenc", "CipherValue", SamlNames.Encryption, Convert.ToBase64String(value));
        writer.WriteEndElement();
    }

    private static void Begin(XmlWriter writer, string name) => writer.WriteStartElement("xenc", name, SamlNames.Encryption);
}
