using System.Security.Cryptography.X509Certificates;
using System.Xml;
using Candela.Identity.Saml.Xml;

namespace Candela.Identity.Saml.Bindings;

/// <summary>A message that came in by a binding; nothing of it is proven before <see cref="VerifySignature"/>.</summary>
/// <param name="Kind">Request or response.</param>
/// <param name="Root">Root element.</param>
/// <param name="RelayState">What the sender wants to have back; null: nothing.</param>
/// <param name="Detached">The query's signature, of the Redirect binding; null: none, or a POST.</param>
internal sealed record IncomingMessage(SamlMessageKind Kind, XmlElement Root, string? RelayState, DetachedSignature? Detached)
{
    /// <summary>There is a signature, right or wrong.</summary>
    public bool IsSigned => Detached is not null || EnvelopedSignature.IsPresent(Root);

    /// <summary>Verifies the signature: the query's with Redirect, the root element's with POST.</summary>
    /// <exception cref="SamlException">There is none, or it is wrong.</exception>
    public void VerifySignature(IReadOnlyList<X509Certificate2> certificates)
    {
        if (Detached is not null)
            Detached.Verify(certificates);
        else
            EnvelopedSignature.Verify(Root, certificates);
    }
}
