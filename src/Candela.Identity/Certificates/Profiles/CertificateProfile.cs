namespace Candela.Identity.Certificates.Profiles;

/// <summary>What URIs a profile's certificates have.</summary>
public enum UriRule
{
    /// <summary>None.</summary>
    None,

    /// <summary>Exactly one, a SPIFFE ID within the trust domain (X509-SVID, section 2).</summary>
    SpiffeId,
}

/// <summary>A kind of certificate and its limits. What it may be used for is fixed; <see cref="ProfileLimits"/> can be narrowed.</summary>
public sealed record CertificateProfile
{
    /// <summary>Profile of servers.</summary>
    public const string Server = "server";

    /// <summary>Profile of users' and services' client certificates.</summary>
    public const string Client = "client";

    /// <summary>Profile of the platform's machines (hosts).</summary>
    public const string Machine = "machine";

    /// <summary>Profile of workloads: X.509-SVIDs.</summary>
    public const string Workload = "workload";

    /// <summary>Profile of the authorities' own OCSP signers.</summary>
    public const string OcspSigner = "ocsp-signer";

    internal const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    internal const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    internal const string OcspSigning = "1.3.6.1.5.5.7.3.9";

    private static readonly CertificateKeyType[] AllKeyTypes = [CertificateKeyType.EcdsaP256, CertificateKeyType.EcdsaP384, CertificateKeyType.Rsa];
    private static readonly CertificateKeyType[] EcdsaOnly = [CertificateKeyType.EcdsaP256, CertificateKeyType.EcdsaP384];

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Which authorities issue it.</summary>
    public required AuthorityPurpose Authority { get; init; }

    /// <summary>Extended key usages, object identifiers (RFC 5280, section 4.2.1.12).</summary>
    public required IReadOnlyList<string> Usages { get; init; }

    /// <summary>Host names are possible.</summary>
    public bool AllowDns { get; init; }

    /// <summary>IP addresses are possible.</summary>
    public bool AllowAddresses { get; init; }

    /// <summary>Mail addresses are possible.</summary>
    public bool AllowMail { get; init; }

    /// <summary>What URIs there are.</summary>
    public UriRule Uris { get; init; }

    /// <summary>Least number of names.</summary>
    public int NameMinimum { get; init; }

    /// <summary>What can be narrowed.</summary>
    public required ProfileLimits Limits { get; init; }

    /// <summary>The profiles as built in.</summary>
    internal static IReadOnlyDictionary<string, CertificateProfile> BuiltIn { get; } = new CertificateProfile[]
    {
        new()
        {
            Name = Server, Authority = AuthorityPurpose.General, Usages = [ServerAuthentication], AllowDns = true, AllowAddresses = true, NameMinimum = 1,
            Limits = new() { LifetimeDefault = TimeSpan.FromDays(30), LifetimeMaximum = TimeSpan.FromDays(90), KeyTypes = AllKeyTypes, AllowWildcards = true },
        },
        new()
        {
            Name = Client, Authority = AuthorityPurpose.General, Usages = [ClientAuthentication], AllowMail = true,
            Limits = new() { LifetimeDefault = TimeSpan.FromDays(1), LifetimeMaximum = TimeSpan.FromDays(90), KeyTypes = AllKeyTypes },
        },
        new()
        {
            Name = Machine, Authority = AuthorityPurpose.General, Usages = [ServerAuthentication, ClientAuthentication], AllowDns = true, AllowAddresses = true,
            Uris = UriRule.SpiffeId, NameMinimum = 1,
            Limits = new() { LifetimeDefault = TimeSpan.FromDays(1), LifetimeMaximum = TimeSpan.FromDays(7), KeyTypes = EcdsaOnly },
        },
        new()
        {
            Name = Workload, Authority = AuthorityPurpose.Workload, Usages = [ServerAuthentication, ClientAuthentication], AllowDns = true, AllowAddresses = true,
            Uris = UriRule.SpiffeId, NameMinimum = 1,
            Limits = new() { LifetimeDefault = TimeSpan.FromHours(1), LifetimeMaximum = TimeSpan.FromHours(24), KeyTypes = EcdsaOnly },
        },
        new()
        {
            Name = OcspSigner, Authority = AuthorityPurpose.General, Usages = [OcspSigning],
            Limits = new() { LifetimeDefault = TimeSpan.FromDays(7), LifetimeMaximum = TimeSpan.FromDays(7), KeyTypes = EcdsaOnly },
        },
    }.ToDictionary(p => p.Name);
}

/// <summary>Limits of a profile.</summary>
public sealed record ProfileLimits
{
    /// <summary>Lifetime when none is asked for.</summary>
    public required TimeSpan LifetimeDefault { get; init; }

    /// <summary>Longest lifetime.</summary>
    public required TimeSpan LifetimeMaximum { get; init; }

    /// <summary>Kinds of keys.</summary>
    public required IReadOnlyList<CertificateKeyType> KeyTypes { get; init; }

    /// <summary>Wildcard host names are possible.</summary>
    public bool AllowWildcards { get; init; }

    /// <summary>Host names must be these domains, or below them; empty: any.</summary>
    public IReadOnlyList<string> Domains { get; init; } = [];

    /// <summary>Most names; at most <see cref="Names.CertificateNames.CountMaximum"/>.</summary>
    public int NameMaximum { get; init; } = Names.CertificateNames.CountMaximum;
}
