using System.Xml;
using Candela.Identity.Saml.Keys;
using Candela.Identity.Saml.Protocol;

namespace Candela.Identity.Saml.Metadata;

/// <summary>Writes the identity provider's metadata (saml-metadata-2.0-os, 2.4.3), with all keys that sign now, soon, or did lately.</summary>
internal static class IdentityProviderMetadata
{
    public static string Write(SamlOptions options, IReadOnlyList<SamlKey> keys, SamlKey current, DateTimeOffset now)
    {
        var root = MessageWriter.Write(writer =>
        {
            Begin(writer, "EntityDescriptor");
            writer.WriteAttributeString("ID", MessageWriter.NewId());
            writer.WriteAttributeString("entityID", options.EntityId);
            // By half of the overlap: whoever keeps to it knows a key before it signs.
            writer.WriteAttributeString("validUntil", MessageWriter.Text(now + options.KeyOverlap / 2));
            Begin(writer, "IDPSSODescriptor");
            writer.WriteAttributeString("protocolSupportEnumeration", SamlNames.Protocol);
            writer.WriteAttributeString("WantAuthnRequestsSigned", "false");
            foreach (var key in keys)
                Key(writer, key);
            Endpoint(writer, "SingleLogoutService", SamlNames.RedirectBinding, options.LogoutAddress);
            Endpoint(writer, "SingleLogoutService", SamlNames.PostBinding, options.LogoutAddress);
            foreach (var format in new[] { SamlNames.PersistentNameId, SamlNames.EmailNameId, SamlNames.TransientNameId })
                writer.WriteElementString("md", "NameIDFormat", SamlNames.Metadata, format);
            Endpoint(writer, "SingleSignOnService", SamlNames.RedirectBinding, options.SignOnAddress);
            Endpoint(writer, "SingleSignOnService", SamlNames.PostBinding, options.SignOnAddress);
            writer.WriteEndElement();
            writer.WriteEndElement();
        });
        return MessageWriter.Signed(root, current);
    }

    private static void Key(XmlWriter writer, SamlKey key)
    {
        Begin(writer, "KeyDescriptor");
        writer.WriteAttributeString("use", "signing");
        writer.WriteStartElement("ds", "KeyInfo", SamlNames.Signature);
        writer.WriteStartElement("ds", "X509Data", SamlNames.Signature);
        writer.WriteElementString("ds", "X509Certificate", SamlNames.Signature, Convert.ToBase64String(key.Certificate.RawData));
        writer.WriteEndElement();
        writer.WriteEndElement();
        writer.WriteEndElement();
    }

    private static void Endpoint(XmlWriter writer, string name, string binding, string location)
    {
        Begin(writer, name);
        writer.WriteAttributeString("Binding", binding);
        writer.WriteAttributeString("Location", location);
        writer.WriteEndElement();
    }

    private static void Begin(XmlWriter writer, string name) => writer.WriteStartElement("md", name, SamlNames.Metadata);
}
