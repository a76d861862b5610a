using System.Xml;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Saml.Protocol;

/// <summary>What all messages have (saml-core-2.0-os, 3.2.1 and 3.2.2).</summary>
/// <param name="Id">ID, the sender's choice.</param>
/// <param name="Issuer">Entity id of the sender; nothing is proven by it.</param>
/// <param name="IssuedAt">When it was made, by the sender's clock.</param>
/// <param name="Destination">Where it was sent; null: not said.</param>
/// <param name="InResponseTo">ID of the request that a response answers; null: none, or a request.</param>
internal sealed record RequestHeader(string Id, string Issuer, DateTimeOffset IssuedAt, string? Destination, string? InResponseTo)
{
    /// <summary>Reads it from a message's root element.</summary>
    /// <exception cref="SamlException">It is another message, or malformed.</exception>
    public static RequestHeader Read(XmlElement root, string name)
    {
        if (!root.Is(SamlNames.Protocol, name))
            throw new SamlException($"the message is no {name} of SAML 2.0");
        if (root.Required("Version", 8) != "2.0")
            throw new SamlException("the message's version is not 2.0");
        var issuer = root.Child(SamlNames.Assertion, "Issuer") ?? throw new SamlException($"{name} has no Issuer");
        if (issuer.Optional("Format", SamlLimits.AddressLength) is not (null or "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"))
            throw new SamlException("the Issuer is no entity id");
        return new RequestHeader(
            root.Required("ID", SamlLimits.IdLength),
            issuer.Text(SamlLimits.AddressLength),
            root.Time("IssueInstant") ?? throw new SamlException($"{name} has no IssueInstant"),
            root.Optional("Destination", SamlLimits.AddressLength),
            root.Optional("InResponseTo", SamlLimits.IdLength));
    }

    /// <summary>It is meant for an address, and was made lately.</summary>
    /// <param name="address">Where it came in.</param>
    /// <param name="isSigned">It is signed: then it must say for where (saml-bindings-2.0-os, 3.4.5.2 and 3.5.5.2).</param>
    /// <param name="options">Times.</param>
    /// <param name="now">Present time.</param>
    /// <exception cref="SamlException">It is not.</exception>
    public void Check(string address, bool isSigned, SamlOptions options, DateTimeOffset now)
    {
        if (Destination is null ? isSigned : Destination != address)
            throw new SamlException(Destination is null ? "a signed message must have a Destination" : "the message's Destination is another address");
        if (IssuedAt > now + options.ClockSkew)
            throw new SamlException("the message is from the future: compare the clocks");
        if (IssuedAt < now - options.RequestLifetime)
            throw new SamlException("the message is too old: go back and try again");
    }
}
