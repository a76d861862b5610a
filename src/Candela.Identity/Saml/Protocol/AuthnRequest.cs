using System.Xml;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Saml.Protocol;

/// <summary>A service provider asks for somebody to sign in (saml-core-2.0-os, 3.4.1).</summary>
internal sealed record AuthnRequest
{
    public required RequestHeader Header { get; init; }

    /// <summary>Where the response is to go; null: see <see cref="ConsumerIndex"/>.</summary>
    public string? ConsumerAddress { get; init; }

    /// <summary>Index of where the response is to go; null: the default.</summary>
    public int? ConsumerIndex { get; init; }

    /// <summary>Binding of the response; null: any.</summary>
    public string? ResponseBinding { get; init; }

    /// <summary>Name identifier format; null: any.</summary>
    public string? NameIdFormat { get; init; }

    /// <summary>Namespace of another than the service provider itself, for whom the identifier is to be; null: its own.</summary>
    public string? NameQualifier { get; init; }

    /// <summary>Who is signed in already must sign in again.</summary>
    public bool ForceAuthn { get; init; }

    /// <summary>Nobody is to be asked for anything.</summary>
    public bool IsPassive { get; init; }

    /// <summary>Authentication contexts that will do, the preferred one first; empty: any.</summary>
    public IReadOnlyList<string> Contexts { get; init; } = [];

    /// <summary>Reads one.</summary>
    /// <exception cref="SamlException">It is none, or asks for what there is not.</exception>
    public static AuthnRequest Read(XmlElement root)
    {
        var header = RequestHeader.Read(root, "AuthnRequest");
        var policy = root.Child(SamlNames.Protocol, "NameIDPolicy");
        // A subject would say whom to sign in: only who signs in says that.
        if (root.Child(SamlNames.Assertion, "Subject") is not null)
            throw new SamlException("AuthnRequest names a Subject: that is not supported");
        return new AuthnRequest
        {
            Header = header,
            ConsumerAddress = root.Optional("AssertionConsumerServiceURL", SamlLimits.AddressLength),
            ConsumerIndex = root.Number("AssertionConsumerServiceIndex"),
            ResponseBinding = root.Optional("ProtocolBinding", SamlLimits.AddressLength),
            NameIdFormat = policy?.Optional("Format", SamlLimits.AddressLength),
            NameQualifier = policy?.Optional("SPNameQualifier", SamlLimits.AddressLength),
            ForceAuthn = root.Boolean("ForceAuthn") ?? false,
            IsPassive = root.Boolean("IsPassive") ?? false,
            Contexts = ContextsOf(root.Child(SamlNames.Protocol, "RequestedAuthnContext")),
        };
    }

    private static string[] ContextsOf(XmlElement? requested)
    {
        if (requested is null)
            return [];
        if (requested.Optional("Comparison", 16) is not (null or "exact" or "minimum"))
            throw new SamlException("RequestedAuthnContext: only exact and minimum are supported");
        var references = requested.Children(SamlNames.Assertion, "AuthnContextClassRef").Select(e => e.Text(SamlLimits.AddressLength)).ToArray();
        return references.Length is > 0 and <= SamlLimits.ListCount ? references : throw new SamlException($"RequestedAuthnContext must have 1 to {SamlLimits.ListCount} class references");
    }
}
