using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Profiles;
using Candela.Model;

namespace Candela.Identity.Authentication;

/// <summary>Client certificates of the certificate authority; whose they are says the owner on record, never a name in the certificate.</summary>
internal sealed class IssuedClientCertificates(CertificateAuthority authority, IDirectory directory) : IClientCertificates
{
    /// <summary>Owner of an account's certificates: <c>user:ID</c>, <c>service-account:ID</c> or <c>machine:ID</c>.</summary>
    public static string OwnerOf(DirectoryEntry account) => $"{PermissionText.Of(AccessGuard.KindOf(account.Kind))}:{account.Id}";

    /// <inheritdoc/>
    public async Task<DirectoryEntry?> FindAccountAsync(ReadOnlyMemory<byte> certificate, CancellationToken cancellationToken)
    {
        string owner;
        try
        {
            owner = (await authority.VerifyAsync(certificate, CertificateProfile.Client, cancellationToken)).Owner;
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Unauthenticated)
        {
            return null;
        }

        var current = directory.Current;
        return owner.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon && Guid.TryParseExact(owner.AsSpan(colon + 1), "D", out var id) &&
            current.Get(id) is { Enabled: true, Kind: not EntryKind.Group } account && OwnerOf(account) == owner && current.GetDomain(account.DomainId) is { Enabled: true }
            ? account
            : null;
    }
}
