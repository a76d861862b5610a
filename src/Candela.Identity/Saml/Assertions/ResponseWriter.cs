using System.Security.Cryptography.X509Certificates;
using System.Xml;
using Candela.Identity.Saml.Keys;
using Candela.Identity.Saml.Protocol;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Saml.Assertions;

/// <summary>Writes responses to requests for sign-in (saml-core-2.0-os, 3.4.4): the assertion is signed, and the response around it, too.</summary>
internal static class ResponseWriter
{
    /// <summary>A response with an assertion.</summary>
    /// <param name="content">What it asserts.</param>
    /// <param name="encryptFor">Encrypts the assertion for the key of this certificate; null: it is not encrypted.</param>
    /// <param name="key">Signs.</param>
    public static string Success(AssertionContent content, X509Certificate2? encryptFor, SamlKey key)
    {
        var assertion = AssertionWriter.Write(content);
        using (var rsa = key.GetPrivateKey())
            EnvelopedSignature.Sign(assertion, rsa, key.Certificate);
        var carried = encryptFor is null ? assertion : AssertionEncryption.Encrypt(assertion, encryptFor);
        return Write(content.Issuer, content.Recipient, content.InResponseTo, content.IssuedAt, SamlNames.StatusSuccess, null, carried, key);
    }

    /// <summary>A response that says no.</summary>
    public static string Failure(string issuer, string recipient, string inResponseTo, DateTimeOffset now, string code, string detail, SamlKey key) =>
        Write(issuer, recipient, inResponseTo, now, code, detail, carried: null, key);

    private static string Write(string issuer, string recipient, string inResponseTo, DateTimeOffset now, string code, string? detail, XmlElement? carried, SamlKey key)
    {
        var root = MessageWriter.Write(writer =>
        {
            MessageWriter.BeginMessage(writer, "Response", MessageWriter.NewId(), issuer, now, recipient, inResponseTo);
            MessageWriter.Status(writer, code, detail);
            writer.WriteEndElement();
        });
        // As it is, not written anew: it is signed.
        if (carried is not null)
            root.AppendChild(root.OwnerDocument.ImportNode(carried, deep: true));
        return MessageWriter.Signed(root, key);
    }
}
