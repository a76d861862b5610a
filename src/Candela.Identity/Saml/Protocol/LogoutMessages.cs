using System.Xml;

namespace Candela.Identity.Saml.Protocol;

/// <summary>Writes logout messages (saml-core-2.0-os, 3.7).</summary>
internal static class LogoutMessages
{
    public static XmlElement Request(string id, string issuer, DateTimeOffset now, string destination, string nameIdFormat, string nameId, string nameQualifier, string sessionIndex) => MessageWriter.Write(writer =>
    {
        MessageWriter.BeginMessage(writer, "LogoutRequest", id, issuer, now, destination, inResponseTo: null);
        writer.WriteStartElement("saml", "NameID", SamlNames.Assertion);
        writer.WriteAttributeString("Format", nameIdFormat);
        if (nameIdFormat != SamlNames.EmailNameId)
            writer.WriteAttributeString("SPNameQualifier", nameQualifier);
        writer.WriteString(nameId);
        writer.WriteEndElement();
        writer.WriteElementString("samlp", "SessionIndex", SamlNames.Protocol, sessionIndex);
        writer.WriteEndElement();
    });

    public static XmlElement Response(string issuer, DateTimeOffset now, string destination, string inResponseTo, bool isPartial) => MessageWriter.Write(writer =>
    {
        MessageWriter.BeginMessage(writer, "LogoutResponse", MessageWriter.NewId(), issuer, now, destination, inResponseTo);
        MessageWriter.Status(writer, SamlNames.StatusSuccess, isPartial ? SamlNames.StatusPartialLogout : null);
        writer.WriteEndElement();
    });
}
