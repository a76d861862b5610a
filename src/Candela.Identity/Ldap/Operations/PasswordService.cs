using System.Security.Cryptography;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Server;
using Candela.Identity.Ldap.Tree;
using Candela.Model;

namespace Candela.Identity.Ldap.Operations;

/// <summary>Changes passwords: one's own by the present one, others' by right.</summary>
internal sealed class PasswordService(IDirectory directory, SelfService self, DirectoryAdministration administration, PasswordCheck passwords)
{
    private const string GeneratedAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";
    private const int GeneratedLength = 20;

    /// <summary>A password as the server makes it up.</summary>
    public static string Generate() => RandomNumberGenerator.GetString(GeneratedAlphabet, GeneratedLength);

    /// <summary>Changes a password by the present one, which anybody may do who knows it.</summary>
    /// <exception cref="LdapException">Not confidential.</exception>
    /// <exception cref="CandelaException">Unauthenticated: wrong, whatever it was; InvalidArgument: too weak, or used before; Unavailable.</exception>
    public async Task ChangeAsync(LdapSession session, LoginName login, string old, string changed, CancellationToken cancellationToken)
    {
        RequireConfidential(session);
        var current = directory.Current;
        var actor = session.FindAccount(current) is { } account ? Actor.Of(account, current.GetDomain(account.DomainId)!, session.From) : Actor.Unproven(login.ToString(), session.From);
        var (own, code) = await passwords.SplitAsync(login, old, cancellationToken);
        try
        {
            await self.ChangePasswordAsync(actor, login, own, code, changed, cancellationToken);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Unauthenticated)
        {
            session.RefusedBindCount++;
            throw;
        }

        if (AccountNames.Find(directory.Current, login) is { } changedAccount && changedAccount.Id == session.AccountId)
            session.Become(changedAccount, mustChangePassword: false);
    }

    /// <summary>Sets another's password.</summary>
    /// <exception cref="LdapException">Not confidential, or there is no such account to be seen.</exception>
    /// <exception cref="CandelaException">PermissionDenied; InvalidArgument: too weak, or used before.</exception>
    public Task ResetAsync(LdapSession session, Actor actor, TreeNode node, string password, CancellationToken cancellationToken)
    {
        RequireConfidential(session);
        if (node.Entry is Group)
            throw new LdapException(ResultCode.ObjectClassViolation, "groups have no password");
        var reference = new EntryReference(node.Domain.Name, node.Entry.Kind, node.Entry.Name);

        // A person's password is known to no one else for long; a program cannot choose another one.
        return administration.ResetPasswordAsync(actor, reference, password, mustChange: node.Entry is User, cancellationToken);
    }

    private static void RequireConfidential(LdapSession session)
    {
        if (!session.IsConfidential)
            throw new LdapException(ResultCode.ConfidentialityRequired, "passwords are taken under TLS only: use ldaps or StartTLS");
    }
}
