using Candela.Identity.Certificates.Names;

namespace Candela.Identity.Acme;

/// <summary>Settings of the ACME server. All controllers of an installation have the same.</summary>
public sealed record AcmeOptions
{
    /// <summary>
    /// Where clients reach the endpoints, such as <c>https://candela.example:8443/acme</c>. Requests name the address for which they are
    /// signed: it is compared with this, never with what the request itself says.
    /// </summary>
    public required Uri BaseUrl { get; init; }

    /// <summary>
    /// Domains for which anyone may make an account, since the platform's own DNS says who has a name in them; none: every account must be
    /// bound to an external one.
    /// </summary>
    public IReadOnlyList<string> OpenDomains { get; init; } = [];

    /// <summary>Port on which http-01 challenges are answered; clients expect 80 (RFC 8555, section 8.3).</summary>
    public int HttpPort { get; init; } = 80;

    /// <summary>How long an order can be fulfilled.</summary>
    public TimeSpan OrderLifetime { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long a nonce can be used.</summary>
    public TimeSpan NonceLifetime { get; init; } = TimeSpan.FromMinutes(30);

    internal void Check()
    {
        if (!BaseUrl.IsAbsoluteUri || BaseUrl.Scheme is not ("https" or "http") || BaseUrl.Query.Length + BaseUrl.Fragment.Length > 0)
            throw new ArgumentException($"The ACME server's address {BaseUrl} begins with https:// and has neither query nor fragment.");
        if (HttpPort is < 1 or > 65535 || OrderLifetime < TimeSpan.FromMinutes(1) || NonceLifetime < TimeSpan.FromMinutes(1) || NonceLifetime > TimeSpan.FromHours(12))
            throw new ArgumentException("ACME: port 1 to 65535, orders live at least 1 minute, nonces 1 minute to 12 hours.");
        foreach (var domain in OpenDomains)
            DnsNames.Check(domain, allowWildcard: false);
    }

    /// <summary>Address of an endpoint.</summary>
    internal string Url(string path) => $"{BaseUrl.AbsoluteUri.TrimEnd('/')}/{path}";
}
