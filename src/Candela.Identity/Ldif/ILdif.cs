using Candela.Identity.Accounts;
using Candela.Model;

namespace Candela.Identity.Ldif;

/// <summary>A domain's accounts and groups as an LDIF file (RFC 2849), for backups, moves and other directories.</summary>
public interface ILdif
{
    /// <summary>Writes all accounts and groups of a domain as they are now.</summary>
    /// <param name="domainId">Domain.</param>
    /// <param name="writer">Where to.</param>
    /// <param name="withPasswords">With password hashes, as <c>{ARGON2}</c>: such a file is a secret.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">NotFound: no such domain.</exception>
    Task ExportAsync(Guid domainId, TextWriter writer, bool withPasswords, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the accounts and groups of a file, each with all that belongs to it or not at all, then their memberships. What exists already (by
    /// name) is left as it is, but gets the memberships; so the same file may be given again after a failure.
    /// </summary>
    /// <param name="domainId">Domain; that of the names in the file does not matter.</param>
    /// <param name="reader">File. Secrets of one-time codes are not in such files; of password hashes only <c>{ARGON2}</c> (as of OpenLDAP) can be used.</param>
    /// <param name="permits">What of it may be done; the rest is told as problems.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">NotFound: no such domain; InvalidArgument: not LDIF.</exception>
    Task<LdifImport> ImportAsync(Guid domainId, TextReader reader, LdifPermits permits, CancellationToken cancellationToken);
}

/// <summary>What an import may do.</summary>
/// <param name="CheckCreate">Throws PermissionDenied where an entry must not be made.</param>
/// <param name="CheckJoin">Throws PermissionDenied where nobody must be taken into a group.</param>
public sealed record LdifPermits(Func<DirectoryEntry, Task> CheckCreate, Func<Group, Task> CheckJoin)
{
    /// <summary>Everything.</summary>
    public static readonly LdifPermits All = new(_ => Task.CompletedTask, _ => Task.CompletedTask);
}

/// <summary>What came of an import.</summary>
/// <param name="CreatedCount">Accounts and groups made.</param>
/// <param name="ExistingCount">Accounts and groups that were there.</param>
/// <param name="MembershipCount">Memberships made.</param>
/// <param name="Problems">What could not be done, with lines; at most <see cref="ProblemCount"/>.</param>
public sealed record LdifImport(int CreatedCount, int ExistingCount, int MembershipCount, IReadOnlyList<string> Problems)
{
    /// <summary>Most problems that are told.</summary>
    public const int ProblemCount = 1000;
}
