using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Xml;

namespace Candela.Identity.Saml.Xml;

/// <summary>
/// The signature of a message's root element (saml-core-2.0-os, 5). What is verified is what is read: there is one signature in the document,
/// a child of the root; its one reference is to the root; the transforms are the two that SAML knows; the key is the service provider's
/// registered one, whatever the message says. So there is nothing that could be wrapped (XSW).
/// </summary>
internal static class EnvelopedSignature
{
    /// <summary>There is something like a signature somewhere in the document.</summary>
    public static bool IsPresent(XmlElement root) =>
        root.OwnerDocument.SelectNodes("//*[local-name()='Signature']") is { Count: > 0 };

    /// <summary>Verifies the root's signature.</summary>
    /// <param name="root">Root of a document that <see cref="SafeXml"/> has read; its signature's KeyInfo is taken out.</param>
    /// <param name="certificates">Whose keys may have signed.</param>
    /// <exception cref="SamlException">There is none, it is not of the form that is taken, or it is wrong.</exception>
    public static void Verify(XmlElement root, IReadOnlyList<X509Certificate2> certificates)
    {
        var signature = FindIn(root);
        CheckForm(root, signature);
        if (signature.Child(SamlNames.Signature, "KeyInfo") is { } keyInfo)
            signature.RemoveChild(keyInfo);
        try
        {
            var verifier = new RootSignedXml(root) { Resolver = XmlResolver.ThrowingResolver };
            verifier.LoadXml(signature);
            foreach (var certificate in certificates)
            {
                using var key = certificate.GetRSAPublicKey();
                if (key is not null && verifier.CheckSignature(key))
                    return;
            }
        }
        catch (Exception e) when (e is CryptographicException or XmlException or FormatException or ArgumentException or InvalidOperationException)
        {
            throw new SamlException("the signature is malformed", e);
        }

        throw new SamlException("the signature is wrong, or of a key that is not registered");
    }

    /// <summary>Signs the root of a document; the signature goes behind the Issuer, or to the front where there is none (metadata).</summary>
    public static void Sign(XmlElement root, RSA key, X509Certificate2 certificate)
    {
        var signer = new RootSignedXml(root) { SigningKey = key, Resolver = XmlResolver.ThrowingResolver };
        signer.SignedInfo!.CanonicalizationMethod = SamlNames.ExclusiveCanonicalization;
        signer.SignedInfo.SignatureMethod = SamlNames.RsaSha256;
        var reference = new Reference("#" + root.GetAttribute("ID")) { DigestMethod = SamlNames.Sha256 };
        reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
        reference.AddTransform(new XmlDsigExcC14NTransform());
        signer.AddReference(reference);
        signer.KeyInfo = new KeyInfo();
        signer.KeyInfo.AddClause(new KeyInfoX509Data(certificate));
        signer.ComputeSignature();
        root.InsertAfter(signer.GetXml(), root.Child(SamlNames.Assertion, "Issuer"));
    }

    private static XmlElement FindIn(XmlElement root)
    {
        var all = root.OwnerDocument.SelectNodes("//*[local-name()='Signature']")!;
        return all.Count == 1 && root.Child(SamlNames.Signature, "Signature") is { } signature && ReferenceEquals(all[0], signature)
            ? signature
            : throw new SamlException(all.Count == 0 ? "the message is not signed" : "the message must have one signature, of its root element");
    }

    private static void CheckForm(XmlElement root, XmlElement signature)
    {
        var info = signature.Child(SamlNames.Signature, "SignedInfo") ?? throw new SamlException("the signature has no SignedInfo");
        if (signature.ChildNodes.OfType<XmlElement>().Any(e => e.NamespaceURI != SamlNames.Signature || e.LocalName is not ("SignedInfo" or "SignatureValue" or "KeyInfo")))
            throw new SamlException("the signature holds more than SAML allows");
        if (info.ChildNodes.OfType<XmlElement>().ToList() is not [var canonicalization, var method, var reference] ||
            !canonicalization.Is(SamlNames.Signature, "CanonicalizationMethod") ||
            !method.Is(SamlNames.Signature, "SignatureMethod") ||
            !reference.Is(SamlNames.Signature, "Reference"))
            throw new SamlException("the signature must have one canonicalization, one method and one reference");
        if (!IsExclusive(canonicalization))
            throw new SamlException("the signature's canonicalization is not the exclusive one");
        if (SignatureAlgorithm.HashOf(method.GetAttribute("Algorithm")) is null || method.HasChildNodes)
            throw new SamlException("the signature's algorithm is not RSA with SHA-256, SHA-384 or SHA-512");
        if (reference.GetAttribute("URI") != "#" + root.Required("ID", SamlLimits.IdLength))
            throw new SamlException("the signature is not about the message");
        if (reference.ChildNodes.OfType<XmlElement>().ToList() is not [var transforms, var digest, var value] ||
            !transforms.Is(SamlNames.Signature, "Transforms") ||
            !digest.Is(SamlNames.Signature, "DigestMethod") ||
            !value.Is(SamlNames.Signature, "DigestValue") ||
            !SignatureAlgorithm.IsDigest(digest.GetAttribute("Algorithm")) || digest.HasChildNodes)
            throw new SamlException("the signature's digest is not SHA-256, SHA-384 or SHA-512");
        if (transforms.ChildNodes.OfType<XmlElement>().ToList() is not [var enveloped, var exclusive] ||
            !enveloped.Is(SamlNames.Signature, "Transform") || enveloped.GetAttribute("Algorithm") != SamlNames.EnvelopedSignature || enveloped.HasChildNodes ||
            !exclusive.Is(SamlNames.Signature, "Transform") || !IsExclusive(exclusive))
            throw new SamlException("the signature's transforms are not enveloped-signature and exclusive canonicalization");
    }

    /// <summary>Exclusive canonicalization, with at most a list of prefixes.</summary>
    private static bool IsExclusive(XmlElement element) =>
        element.GetAttribute("Algorithm") == SamlNames.ExclusiveCanonicalization &&
        element.ChildNodes.OfType<XmlElement>().All(e => e.Is(SamlNames.ExclusiveCanonicalization, "InclusiveNamespaces")) &&
        element.ChildNodes.OfType<XmlElement>().Count() <= 1;

    /// <summary>Knows one element to refer to: the root.</summary>
    private sealed class RootSignedXml : SignedXml
    {
        private readonly XmlElement _root;

        public RootSignedXml(XmlElement root)
            : base(root) => _root = root;

        public override XmlElement? GetIdElement(XmlDocument? document, string idValue) =>
            idValue.Length > 0 && _root.GetAttribute("ID") == idValue ? _root : null;
    }
}
