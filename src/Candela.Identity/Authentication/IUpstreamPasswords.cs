using Candela.Identity.Accounts;

namespace Candela.Identity.Authentication;

/// <summary>Checks passwords of accounts that have none here, by directories elsewhere.</summary>
internal interface IUpstreamPasswords
{
    /// <summary>Checks a name and a password.</summary>
    /// <param name="domain">Domain.</param>
    /// <param name="name">Name as given.</param>
    /// <param name="account">The account of that name; null: none.</param>
    /// <param name="password">Password.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The account; null: refused, or nobody elsewhere is asked for this domain.</returns>
    /// <exception cref="Model.CandelaException">Unavailable: who must be asked does not answer.</exception>
    Task<DirectoryEntry?> VerifyAsync(Domain domain, string name, DirectoryEntry? account, string password, CancellationToken cancellationToken);

    /// <summary>Takes as long as a check that fails, and checks nothing: who guesses does not learn who has a password here.</summary>
    Task PretendAsync(Domain domain, CancellationToken cancellationToken);
}
