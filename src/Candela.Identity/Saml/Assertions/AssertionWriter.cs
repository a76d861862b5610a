using System.Xml;
using Candela.Identity.Saml.Protocol;

namespace Candela.Identity.Saml.Assertions;

/// <summary>Writes assertions for the Web SSO profile (saml-profiles-2.0-os, 4.1.4.2).</summary>
internal static class AssertionWriter
{
    public static XmlElement Write(AssertionContent content) => MessageWriter.Write(writer =>
    {
        Begin(writer, "Assertion");
        writer.WriteAttributeString("ID", MessageWriter.NewId());
        writer.WriteAttributeString("Version", "2.0");
        writer.WriteAttributeString("IssueInstant", MessageWriter.Text(content.IssuedAt));
        Element(writer, "Issuer", content.Issuer);
        WriteSubject(writer, content);
        Begin(writer, "Conditions");
        writer.WriteAttributeString("NotBefore", MessageWriter.Text(content.IssuedAt - content.ClockSkew));
        writer.WriteAttributeString("NotOnOrAfter", MessageWriter.Text(content.NotOnOrAfter));
        Begin(writer, "AudienceRestriction");
        Element(writer, "Audience", content.Audience);
        writer.WriteEndElement();
        writer.WriteEndElement();
        Begin(writer, "AuthnStatement");
        writer.WriteAttributeString("AuthnInstant", MessageWriter.Text(content.SignedInAt));
        writer.WriteAttributeString("SessionIndex", content.SessionIndex);
        writer.WriteAttributeString("SessionNotOnOrAfter", MessageWriter.Text(content.SessionNotOnOrAfter));
        Begin(writer, "AuthnContext");
        Element(writer, "AuthnContextClassRef", content.Context);
        writer.WriteEndElement();
        writer.WriteEndElement();
        WriteAttributes(writer, content);
        writer.WriteEndElement();
    });

    private static void WriteSubject(XmlWriter writer, AssertionContent content)
    {
        Begin(writer, "Subject");
        Begin(writer, "NameID");
        writer.WriteAttributeString("Format", content.NameIdFormat);
        if (content.NameIdFormat != SamlNames.EmailNameId)
        {
            writer.WriteAttributeString("NameQualifier", content.Issuer);
            writer.WriteAttributeString("SPNameQualifier", content.Audience);
        }

        writer.WriteString(content.NameId);
        writer.WriteEndElement();
        Begin(writer, "SubjectConfirmation");
        writer.WriteAttributeString("Method", SamlNames.BearerConfirmation);
        Begin(writer, "SubjectConfirmationData");
        writer.WriteAttributeString("InResponseTo", content.InResponseTo);
        writer.WriteAttributeString("NotOnOrAfter", MessageWriter.Text(content.NotOnOrAfter));
        writer.WriteAttributeString("Recipient", content.Recipient);
        writer.WriteEndElement();
        writer.WriteEndElement();
        writer.WriteEndElement();
    }

    private static void WriteAttributes(XmlWriter writer, AssertionContent content)
    {
        var attributes = content.Attributes.Where(a => a.Value.Count > 0).ToList();
        if (attributes.Count == 0)
            return;
        Begin(writer, "AttributeStatement");
        foreach (var (name, values) in attributes)
        {
            Begin(writer, "Attribute");
            writer.WriteAttributeString("Name", name);
            writer.WriteAttributeString("NameFormat", SamlNames.BasicAttributeName);
            foreach (var value in values)
            {
                Begin(writer, "AttributeValue");
                writer.WriteAttributeString("xmlns", "xs", null, SamlNames.Schema);
                writer.WriteAttributeString("xsi", "type", SamlNames.SchemaInstance, "xs:string");
                writer.WriteString(value);
                writer.WriteEndElement();
            }

            writer.WriteEndElement();
        }

        writer.WriteEndElement();
    }

    private static void Begin(XmlWriter writer, string name) => writer.WriteStartElement("saml", name, SamlNames.Assertion);

    private static void Element(XmlWriter writer, string name, string text) => writer.WriteElementString("saml", name, SamlNames.Assertion, text);
}
