using System.Xml;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Saml.Protocol;

/// <summary>A service provider wants somebody signed out (saml-core-2.0-os, 3.7.1).</summary>
/// <param name="Header">What all messages have.</param>
/// <param name="NameId">Whom.</param>
/// <param name="SessionIndexes">Which of their sessions; empty: all.</param>
internal sealed record LogoutRequest(RequestHeader Header, string NameId, IReadOnlyList<string> SessionIndexes)
{
    /// <summary>Reads one.</summary>
    /// <exception cref="SamlException">It is none, or over.</exception>
    public static LogoutRequest Read(XmlElement root, DateTimeOffset now)
    {
        var header = RequestHeader.Read(root, "LogoutRequest");
        if (root.Time("NotOnOrAfter") is { } end && end <= now)
            throw new SamlException("the LogoutRequest is no longer valid");
        var name = root.Child(SamlNames.Assertion, "NameID") ?? throw new SamlException("LogoutRequest has no NameID (an encrypted one is not supported)");
        var indexes = root.Children(SamlNames.Protocol, "SessionIndex").Select(e => e.Text(SamlLimits.IdLength)).ToArray();
        return indexes.Length <= SamlLimits.ListCount
            ? new LogoutRequest(header, name.Text(SamlLimits.NameIdLength), indexes)
            : throw new SamlException($"LogoutRequest has more than {SamlLimits.ListCount} session indexes");
    }
}
