using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Text;
using System.Xml;
using Candela.Identity.Saml.Bindings;
using Candela.Identity.Saml.Providers;

namespace Candela.Identity.Tests.Saml;

/// <summary>The other end: a service provider that makes messages, good and bad, by .NET's own means.</summary>
internal sealed class RemoteProvider(string name = "wiki")
{
    private static readonly RSA SharedKey = RSA.Create(2048);
    private static readonly RSA SharedOtherKey = RSA.Create(2048);

    public static X509Certificate2 Certificate { get; } = SelfSigned(SharedKey);

    public static X509Certificate2 OtherCertificate { get; } = SelfSigned(SharedOtherKey);

    public static RSA Key => SharedKey;

    public static RSA OtherKey => SharedOtherKey;

    public string Name => name;

    public string EntityId => $"https://{name}.test/saml";

    public string Consumer => $"https://{name}.test/acs";

    public string LogoutAddress => $"https://{name}.test/slo";

    public SamlServiceProvider Registration(Guid domainId) => new()
    {
        Name = name,
        DomainId = domainId,
        EntityId = EntityId,
        AssertionConsumers = [new SamlEndpoint(0, Consumer), new SamlEndpoint(3, Consumer + "3")],
        Logout = new SamlLogoutEndpoint(LogoutAddress, LogoutAddress, Post: false),
        SigningCertificates = [Certificate.RawData],
        RequireSignedRequests = true,
    };

    /// <summary>An AuthnRequest.</summary>
    /// <param name="now">When it is made.</param>
    /// <param name="attributes">Further attributes.</param>
    /// <param name="content">Further content.</param>
    /// <param name="destination">Where it goes.</param>
    /// <param name="id">ID.</param>
    public string AuthnRequest(DateTimeOffset now, string attributes = "", string content = "", string? destination = SamlBench.SignOnAddress, string id = "_request1") => $"""
        <samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" Version="2.0" IssueInstant="{now.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}"{(destination is null ? "" : $" Destination=\"{destination}\"")} {attributes}><saml:Issuer>{EntityId}</saml:Issuer>{content}</samlp:AuthnRequest>
        """;

    public string LogoutRequest(DateTimeOffset now, string nameId, string? sessionIndex, string id = "_logout1") => $"""
        <samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" Version="2.0" IssueInstant="{now.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}" Destination="{SamlBench.LogoutAddress}"><saml:Issuer>{EntityId}</saml:Issuer><saml:NameID>{nameId}</saml:NameID>{(sessionIndex is null ? "" : $"<samlp:SessionIndex>{sessionIndex}</samlp:SessionIndex>")}</samlp:LogoutRequest>
        """;

    public string LogoutResponse(DateTimeOffset now, string inResponseTo, string id = "_logoutresponse1") => $"""
        <samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" InResponseTo="{inResponseTo}" Version="2.0" IssueInstant="{now.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}" Destination="{SamlBench.LogoutAddress}"><saml:Issuer>{EntityId}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:LogoutResponse>
        """;

    /// <summary>As a form field.</summary>
    public static IncomingMessage Post(string xml, string? relayState = null) => PostBinding.Read(Convert.ToBase64String(Encoding.UTF8.GetBytes(xml)), null, relayState);

    /// <summary>As a query, signed unless there is no key.</summary>
    public static string Query(string xml, RSA? key, string? relayState = null, string parameter = "SAMLRequest", string algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", HashAlgorithmName? hash = null)
    {
        var text = $"{parameter}={Uri.EscapeDataString(Convert.ToBase64String(RedirectBinding.Deflate(xml)))}";
        if (relayState is not null)
            text += $"&RelayState={Uri.EscapeDataString(relayState)}";
        if (key is null)
            return text;
        text += $"&SigAlg={Uri.EscapeDataString(algorithm)}";
        return text + "&Signature=" + Uri.EscapeDataString(Convert.ToBase64String(key.SignData(Encoding.ASCII.GetBytes(text), hash ?? HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
    }

    /// <summary>Signs an element of a document, by default its root.</summary>
    public static string Sign(string xml, Action<SignedXml, Reference>? change = null, RSA? key = null, string? id = null, X509Certificate2? shown = null)
    {
        var document = new XmlDocument { PreserveWhitespace = true };
        document.LoadXml(xml);
        var root = document.DocumentElement!;
        var signer = new SignedXml(document) { SigningKey = key ?? Key };
        signer.SignedInfo!.CanonicalizationMethod = SignedXml.XmlDsigExcC14NTransformUrl;
        signer.SignedInfo.SignatureMethod = SignedXml.XmlDsigRSASHA256Url;
        var reference = new Reference("#" + (id ?? root.GetAttribute("ID"))) { DigestMethod = SignedXml.XmlDsigSHA256Url };
        reference.AddTransform(new XmlDsigEnvelopedSignatureTransform());
        reference.AddTransform(new XmlDsigExcC14NTransform());
        signer.KeyInfo = new KeyInfo();
        signer.KeyInfo.AddClause(new KeyInfoX509Data(shown ?? Certificate));
        signer.AddReference(reference);
        change?.Invoke(signer, reference);
        signer.ComputeSignature();
        root.InsertAfter(signer.GetXml(), root.FirstChild);
        return document.OuterXml;
    }

    private static X509Certificate2 SelfSigned(RSA key) =>
        new CertificateRequest("CN=wiki.test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
}
