using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml;
using Candela.Identity.Saml.Keys;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Saml.Protocol;

/// <summary>Writes messages: element by element through an <see cref="XmlWriter"/>, so that no text can become markup.</summary>
internal static class MessageWriter
{
    private const int IdBytes = 20;

    /// <summary>An ID that cannot be guessed and is an XML name.</summary>
    public static string NewId() => "_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));

    /// <summary>A time as SAML wants it, to the second.</summary>
    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Writes a document.</summary>
    public static XmlElement Write(Action<XmlWriter> content)
    {
        var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        using (var writer = document.CreateNavigator()!.AppendChild())
            content(writer);
        return document.DocumentElement!;
    }

    /// <summary>Begins a message: the element, its attributes and the Issuer.</summary>
    public static void BeginMessage(XmlWriter writer, string name, string id, string issuer, DateTimeOffset now, string destination, string? inResponseTo)
    {
        writer.WriteStartElement("samlp", name, SamlNames.Protocol);
        writer.WriteAttributeString("ID", id);
        writer.WriteAttributeString("Version", "2.0");
        writer.WriteAttributeString("IssueInstant", Text(now));
        writer.WriteAttributeString("Destination", destination);
        if (inResponseTo is not null)
            writer.WriteAttributeString("InResponseTo", inResponseTo);
        writer.WriteElementString("saml", "Issuer", SamlNames.Assertion, issuer);
    }

    /// <summary>Writes a Status: a top-level code and, beneath it, what it is in particular.</summary>
    public static void Status(XmlWriter writer, string code, string? detail)
    {
        writer.WriteStartElement("samlp", "Status", SamlNames.Protocol);
        writer.WriteStartElement("samlp", "StatusCode", SamlNames.Protocol);
        writer.WriteAttributeString("Value", code);
        if (detail is not null)
        {
            writer.WriteStartElement("samlp", "StatusCode", SamlNames.Protocol);
            writer.WriteAttributeString("Value", detail);
            writer.WriteEndElement();
        }

        writer.WriteEndElement();
        writer.WriteEndElement();
    }

    /// <summary>The element as text, signed first.</summary>
    public static string Signed(XmlElement root, SamlKey key)
    {
        using var rsa = key.GetPrivateKey();
        EnvelopedSignature.Sign(root, rsa, key.Certificate);
        return root.OuterXml;
    }

    /// <summary>The element as bytes.</summary>
    public static byte[] Bytes(XmlElement root) => Encoding.UTF8.GetBytes(root.OuterXml);
}
