using System.Net;

namespace Candela.Identity.Certificates.Names;

/// <summary>Subject alternative names (RFC 5280, section 4.2.1.6), of the kinds that Candela puts into certificates.</summary>
public sealed record CertificateNames
{
    /// <summary>Most names of one certificate, all kinds together.</summary>
    public const int CountMaximum = 100;

    /// <summary>No names.</summary>
    public static CertificateNames None { get; } = new();

    /// <summary>Host names.</summary>
    public IReadOnlyList<string> Dns { get; init; } = [];

    /// <summary>Addresses, version 4 or 6.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];

    /// <summary>URIs, such as SPIFFE IDs.</summary>
    public IReadOnlyList<string> Uris { get; init; } = [];

    /// <summary>Mail addresses (RFC 822).</summary>
    public IReadOnlyList<string> Mail { get; init; } = [];

    /// <summary>How many names there are.</summary>
    public int Count => Dns.Count + Addresses.Count + Uris.Count + Mail.Count;

    /// <summary>All names as text, for records and messages: host names, addresses, URIs, mail addresses.</summary>
    public IEnumerable<string> All => Dns.Concat(Addresses.Select(a => a.ToString())).Concat(Uris).Concat(Mail);

    /// <summary>Both have the same names, in any order.</summary>
    public bool SameAs(CertificateNames other) =>
        Count == other.Count && Dns.ToHashSet(StringComparer.OrdinalIgnoreCase).SetEquals(other.Dns) && Addresses.ToHashSet().SetEquals(other.Addresses) &&
        Uris.ToHashSet(StringComparer.Ordinal).SetEquals(other.Uris) && Mail.ToHashSet(StringComparer.Ordinal).SetEquals(other.Mail);
}
