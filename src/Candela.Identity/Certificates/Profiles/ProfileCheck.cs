using System.Net;
using System.Net.Sockets;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Requests;
using Candela.Identity.Workloads;
using Candela.Model;

namespace Candela.Identity.Certificates.Profiles;

/// <summary>Holds an order against its profile.</summary>
internal static class ProfileCheck
{
    /// <summary>Longest common name (RFC 5280, appendix A.1, ub-common-name).</summary>
    public const int CommonNameLength = 64;

    private const int MailLength = 254;

    /// <summary>The names in the form in which they go into the certificate.</summary>
    /// <param name="profile">Profile.</param>
    /// <param name="trustDomain">The installation's.</param>
    /// <param name="names">Names as asked for.</param>
    /// <exception cref="CandelaException">InvalidArgument: says which name and why.</exception>
    public static CertificateNames Names(CertificateProfile profile, string trustDomain, CertificateNames names)
    {
        if (names.Count < profile.NameMinimum || names.Count > profile.Limits.NameMaximum)
            throw Refused(profile, $"{names.Count} names: between {profile.NameMinimum} and {profile.Limits.NameMaximum} subject alternative names are possible");
        if (!profile.AllowDns && names.Dns.Count > 0 || !profile.AllowAddresses && names.Addresses.Count > 0 || !profile.AllowMail && names.Mail.Count > 0)
            throw Refused(profile, $"names of this kind: {string.Join(", ", names.All.Take(3).Select(Printable.Of))}");
        var expectedUris = profile.Uris == UriRule.SpiffeId ? 1 : 0;
        if (names.Uris.Count != expectedUris)
            throw Refused(profile, $"{names.Uris.Count} URIs: it has {expectedUris}");
        var dns = names.Dns.Select(name => Dns(profile, name)).ToArray();
        foreach (var address in names.Addresses)
            Address(profile, address);
        foreach (var uri in names.Uris)
        {
            if (SpiffeId.Parse(uri) is var id && (id.TrustDomain != trustDomain || id.Path.Length == 0))
                throw Refused(profile, $"{Printable.Of(uri)}, which is not within spiffe://{trustDomain}/");
        }

        foreach (var mail in names.Mail)
            Mail(profile, mail);
        var checkedNames = names with { Dns = dns };
        if (checkedNames.All.Distinct(StringComparer.Ordinal).Count() != checkedNames.Count)
            throw Refused(profile, "a name twice");
        return checkedNames;
    }

    /// <summary>
    /// The common name to put in: of profiles with host names one of these, since programs that know no subject alternative names take it for
    /// a host name.
    /// </summary>
    public static string? CommonName(CertificateProfile profile, CertificateNames names, string? asked)
    {
        if (profile.AllowDns)
        {
            if (asked is not null && !names.All.Contains(asked, StringComparer.OrdinalIgnoreCase))
                throw Refused(profile, $"the common name {Printable.Of(asked)}, which is not among the subject alternative names");
            return profile.Uris == UriRule.None ? names.Dns.FirstOrDefault(name => name.Length <= CommonNameLength) : null;
        }

        if (asked is null && profile.Name == CertificateProfile.Client)
            throw Refused(profile, "no common name: it says who the client is");
        if (asked is not null && (asked.Length is 0 or > CommonNameLength || asked.Any(c => c is <= ' ' or > '~')))
            throw Refused(profile, $"the common name {Printable.Of(asked)}: 1 to {CommonNameLength} characters of ASCII without space are possible");
        return asked;
    }

    public static TimeSpan Lifetime(CertificateProfile profile, TimeSpan? asked)
    {
        var lifetime = asked ?? profile.Limits.LifetimeDefault;
        if (lifetime <= TimeSpan.Zero || lifetime > profile.Limits.LifetimeMaximum)
            throw Refused(profile, $"a lifetime of {lifetime}: at most {profile.Limits.LifetimeMaximum} is possible");
        return lifetime;
    }

    public static void Key(CertificateProfile profile, PublicKeyInfo key)
    {
        if (!profile.Limits.KeyTypes.Contains(key.Type))
            throw Refused(profile, $"a key of type {key.Type}: possible are {string.Join(", ", profile.Limits.KeyTypes)}");
    }

    private static string Dns(CertificateProfile profile, string name)
    {
        var host = DnsNames.Check(name, profile.Limits.AllowWildcards);
        if (profile.Limits.Domains.Count > 0 && !profile.Limits.Domains.Any(domain => DnsNames.IsWithin(host, domain)))
            throw Refused(profile, $"{host}: it must be within {string.Join(", ", profile.Limits.Domains)}");
        return host;
    }

    private static void Address(CertificateProfile profile, IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        var multicast = address.AddressFamily == AddressFamily.InterNetwork ? bytes[0] >= 224 : address.IsIPv6Multicast;
        if (multicast || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.IsIPv4MappedToIPv6)
            throw Refused(profile, $"{address}: it is not the address of one host");
    }

    private static void Mail(CertificateProfile profile, string mail)
    {
        var at = mail.IndexOf('@', StringComparison.Ordinal);
        if (mail.Length > MailLength || at is < 1 or > 64 || !mail.AsSpan(0, at).ToString().All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=?^_`{|}~.".Contains(c, StringComparison.Ordinal)))
            throw Refused(profile, $"the mail address {Printable.Of(mail)}");
        DnsNames.Check(mail[(at + 1)..], allowWildcard: false);
    }

    private static CandelaException Refused(CertificateProfile profile, string what) =>
        new(ErrorCode.InvalidArgument, $"a certificate of profile {profile.Name} cannot have {what}");
}
