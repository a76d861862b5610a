using Candela.Identity.Accounts;

namespace Candela.Identity.Authentication;

/// <summary>Finds out whose client certificate somebody has shown, who has proven to hold its key.</summary>
public interface IClientCertificates
{
    /// <summary>The account that a certificate was issued to; null: it is none of ours, or no longer good, or the account may not sign in.</summary>
    /// <param name="certificate">Certificate in DER.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<DirectoryEntry?> FindAccountAsync(ReadOnlyMemory<byte> certificate, CancellationToken cancellationToken);
}
