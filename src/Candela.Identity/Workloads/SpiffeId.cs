using Candela.Identity.Certificates.Names;
using Candela.Model;

namespace Candela.Identity.Workloads;

/// <summary>A SPIFFE ID (SPIFFE-ID, section 2): <c>spiffe://TRUST-DOMAIN/PATH</c>.</summary>
/// <param name="TrustDomain">Trust domain.</param>
/// <param name="Path">Path with its leading slash; empty: the trust domain itself.</param>
public readonly record struct SpiffeId(string TrustDomain, string Path)
{
    /// <summary>Longest ID, bytes (SPIFFE-ID, section 2.3).</summary>
    public const int Length = 2048;

    private const string Scheme = "spiffe://";
    private const int TrustDomainLength = 255;

    /// <summary>The platform's identity of a container.</summary>
    /// <param name="trustDomain">Trust domain.</param>
    /// <param name="tenant">Tenant's name.</param>
    /// <param name="project">Project's name.</param>
    /// <param name="name">Container's name.</param>
    /// <exception cref="CandelaException">InvalidArgument: a name has other characters than letters, digits, <c>.</c>, <c>_</c> and <c>-</c>.</exception>
    public static SpiffeId OfContainer(string trustDomain, string tenant, string project, string name) =>
        Parse($"{Scheme}{trustDomain}/{Segment(tenant)}/{Segment(project)}/{Segment(name)}");

    /// <summary>The platform's identity of a machine. It has two parts, a container's three: no name of a tenant makes one the other.</summary>
    public static SpiffeId OfMachine(string trustDomain, string machine) => Parse($"{Scheme}{trustDomain}/machine/{Segment(machine)}");

    /// <summary>The trust domain's own ID.</summary>
    /// <exception cref="CandelaException">InvalidArgument: not the name of a trust domain.</exception>
    public static SpiffeId OfTrustDomain(string trustDomain) => TryParse(Scheme + trustDomain, out var id) && id.Path.Length == 0
        ? id
        : throw new CandelaException(ErrorCode.InvalidArgument, $"{Printable.Of(trustDomain)} is not the name of a trust domain, such as example.org");

    /// <exception cref="CandelaException">InvalidArgument: not a SPIFFE ID.</exception>
    public static SpiffeId Parse(string text) =>
        TryParse(text, out var id) ? id : throw new CandelaException(ErrorCode.InvalidArgument, $"{Printable.Of(text)} is not a SPIFFE ID such as spiffe://example.org/shop/web");

    /// <summary>Reads an ID; strictly: one ID has one spelling.</summary>
    public static bool TryParse(string text, out SpiffeId id)
    {
        id = default;
        if (text.Length > Length || !text.StartsWith(Scheme, StringComparison.Ordinal))
            return false;
        var rest = text.AsSpan(Scheme.Length);
        var slash = rest.IndexOf('/');
        var domain = slash < 0 ? rest : rest[..slash];
        var path = slash < 0 ? default : rest[slash..];
        if (domain.Length is 0 or > TrustDomainLength || domain.ContainsAnyExcept(TrustDomainCharacters))
            return false;
        if (path.Length > 0)
        {
            foreach (var range in path[1..].Split('/'))
            {
                if (!IsSegment(path[1..][range]))
                    return false;
            }
        }

        id = new SpiffeId(domain.ToString(), path.ToString());
        return true;
    }

    /// <summary>A name that is not one segment would make another one's identity.</summary>
    private static string Segment(string name) =>
        IsSegment(name) ? name : throw new CandelaException(ErrorCode.InvalidArgument, $"{Printable.Of(name)} cannot be part of an identity: only letters, digits, '.', '_' and '-' are possible");

    private static bool IsSegment(ReadOnlySpan<char> text) => text is not ("" or "." or "..") && !text.ContainsAnyExcept(PathCharacters);

    /// <summary>As it is written.</summary>
    public override string ToString() => $"{Scheme}{TrustDomain}{Path}";

    private static readonly System.Buffers.SearchValues<char> TrustDomainCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-._");
    private static readonly System.Buffers.SearchValues<char> PathCharacters = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
}
