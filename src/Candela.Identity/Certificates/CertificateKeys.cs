namespace Candela.Identity.Certificates;

/// <summary>Where the certificate authority's documents are in the state store.</summary>
internal static class CertificateKeys
{
    /// <summary>Authorities and which of them issue.</summary>
    public const string Authorities = "/identity/ca/";

    /// <summary>Which authorities are in use: written together with what it names.</summary>
    public const string Current = Authorities + "current";

    /// <summary>Revoked certificates that lists still name.</summary>
    public const string Revocations = "/identity/certificates/revoked/";

    /// <summary>Certificates that were issued.</summary>
    public const string Issued = "/identity/certificates/issued/";

    public static string Authority(string id) => $"{Authorities}authorities/{id}";

    /// <summary>Place of an authority's sealed private key: within its document.</summary>
    public static string PrivateKey(string authorityId) => $"{Authority(authorityId)}#key";

    public static string OcspSigner(string authorityId) => $"{Authorities}ocsp/{authorityId}";

    public static string Crl(string authorityId) => $"/identity/certificates/crl/{authorityId}";

    public static string Profile(string name) => $"{Authorities}profiles/{name}";

    public static string Certificate(string authorityId, string serial) => $"{Issued}{authorityId}/{serial}";

    public static string Revocation(string authorityId, string serial) => $"{Revocations}{authorityId}/{serial}";
}
