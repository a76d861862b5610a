using System.Xml;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Saml.Protocol;

/// <summary>A service provider has signed somebody out, or could not (saml-core-2.0-os, 3.7.2).</summary>
/// <param name="Header">What all messages have.</param>
/// <param name="Succeeded">It has.</param>
internal sealed record LogoutResponse(RequestHeader Header, bool Succeeded)
{
    /// <summary>Reads one.</summary>
    /// <exception cref="SamlException">It is none.</exception>
    public static LogoutResponse Read(XmlElement root)
    {
        var header = RequestHeader.Read(root, "LogoutResponse");
        var code = root.Child(SamlNames.Protocol, "Status")?.Child(SamlNames.Protocol, "StatusCode") ?? throw new SamlException("LogoutResponse has no status");
        return new LogoutResponse(header, code.Required("Value", SamlLimits.AddressLength) == SamlNames.StatusSuccess);
    }
}
