using System.Xml;
using Candela.Identity.Saml.Bindings;
using Candela.Identity.Saml.Providers;
using Candela.Identity.Saml.Xml;
using Candela.Model;

namespace Candela.Identity.Saml.Metadata;

/// <summary>
/// Reads a service provider's metadata (saml-metadata-2.0-os, 2.4.4), as an administrator gives it: trust comes from who gives it, so its
/// signature is not looked at.
/// </summary>
internal static class ServiceProviderMetadata
{
    /// <summary>What the metadata says, to be completed and checked.</summary>
    /// <param name="xml">UTF-8.</param>
    /// <param name="name">Name to register it by.</param>
    /// <param name="domainId">Domain whose accounts are to sign in.</param>
    /// <exception cref="CandelaException">InvalidArgument: it is none.</exception>
    public static SamlServiceProvider Read(ReadOnlySpan<byte> xml, string name, Guid domainId)
    {
        try
        {
            return Read(SafeXml.Read(xml, SamlLimits.MetadataBytes).DocumentElement!, name, domainId);
        }
        catch (SamlException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, $"the metadata cannot be used: {e.Message}", e);
        }
    }

    private static SamlServiceProvider Read(XmlElement root, string name, Guid domainId)
    {
        if (!root.Is(SamlNames.Metadata, "EntityDescriptor"))
            throw new SamlException("it is no EntityDescriptor (of a collection, give the one service provider's)");
        var role = root.Child(SamlNames.Metadata, "SPSSODescriptor") ?? throw new SamlException("it describes no service provider");
        if (!role.Required("protocolSupportEnumeration", SamlLimits.AddressLength).Split(' ').Contains(SamlNames.Protocol))
            throw new SamlException("the service provider does not speak SAML 2.0");
        var consumers = role.Children(SamlNames.Metadata, "AssertionConsumerService").Where(e => e.GetAttribute("Binding") == SamlNames.PostBinding)
            .OrderByDescending(e => e.Boolean("isDefault") ?? false)
            .Select((e, i) => new SamlEndpoint(e.Number("index") ?? i, e.Required("Location", SamlLimits.AddressLength))).ToList();
        var signing = Certificates(role, "signing");
        return new SamlServiceProvider
        {
            Name = name,
            DomainId = domainId,
            EntityId = root.Required("entityID", SamlLimits.AddressLength),
            AssertionConsumers = consumers.Count > 0 ? consumers : throw new SamlException("it has no AssertionConsumerService with the HTTP-POST binding"),
            Logout = signing.Count > 0 ? LogoutOf(role) : null,
            SigningCertificates = signing,
            EncryptionCertificate = Certificates(role, "encryption").FirstOrDefault(),
            // Whoever has a key is expected to use it, unless the metadata says otherwise.
            RequireSignedRequests = role.Boolean("AuthnRequestsSigned") ?? signing.Count > 0,
            NameId = role.Children(SamlNames.Metadata, "NameIDFormat").Select(e => NameIdentifiers.KindOf(e.Text(SamlLimits.AddressLength))).FirstOrDefault(k => k is not null) ?? SamlNameIdKind.Persistent,
        };
    }

    private static SamlLogoutEndpoint? LogoutOf(XmlElement role)
    {
        var services = role.Children(SamlNames.Metadata, "SingleLogoutService").ToList();
        var chosen = services.Find(e => e.GetAttribute("Binding") == SamlNames.RedirectBinding) ?? services.Find(e => e.GetAttribute("Binding") == SamlNames.PostBinding);
        if (chosen is null)
            return null;
        var location = chosen.Required("Location", SamlLimits.AddressLength);
        return new SamlLogoutEndpoint(location, chosen.Optional("ResponseLocation", SamlLimits.AddressLength) ?? location, chosen.GetAttribute("Binding") == SamlNames.PostBinding);
    }

    /// <summary>Certificates of a use; a key without a use is for both (saml-metadata-2.0-os, 2.4.1.1).</summary>
    private static List<byte[]> Certificates(XmlElement role, string use) =>
        [.. role.Children(SamlNames.Metadata, "KeyDescriptor")
            .Where(k => k.Optional("use", 16) is not { } its || its == use)
            .SelectMany(k => k.Children(SamlNames.Signature, "KeyInfo")).SelectMany(i => i.Children(SamlNames.Signature, "X509Data")).SelectMany(d => d.Children(SamlNames.Signature, "X509Certificate"))
            .Select(c => PostBinding.Decode(c.Text(PostBinding.FieldLength)))];
}
