using Candela.Identity.Accounts;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Profiles;
using Candela.Model;

namespace Candela.Identity.Authentication;

/// <summary>Client certificates of the certificate authority; whose they are says the owner on record, never a name in the certificate.</summary>
public sealed class IssuedClientCertificates(CertificateAuthority authority, IDirectory directory) : IClientCertificates
{
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
        return CertificateOwner.AccountId(owner) is { } id && current.Get(id) is { Enabled: true, Kind: not EntryKind.Group } account && CertificateOwner.Of(account) == owner && current.GetDomain(account.DomainId) is { Enabled: true }
            ? account
            : null;
    }
}
