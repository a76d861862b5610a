using System.Text;
using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Server;
using Candela.Identity.Ldif;

namespace Candela.Identity.Ldap.Operations;

/// <summary>Extended operations (RFC 4511, 4.12), but for StartTLS, which is the connection's.</summary>
internal sealed class ExtendedOperations(IDirectory directory, PasswordModify passwords)
{
    /// <summary>Carries one out.</summary>
    /// <exception cref="LdapException">It cannot be done.</exception>
    public ValueTask<LdapAnswer> RunAsync(LdapSession session, ExtendedRequest request, CancellationToken cancellationToken) => request.Name switch
    {
        LdapOids.PasswordModify => passwords.RunAsync(session, request.Value, cancellationToken),
        LdapOids.WhoAmI => new ValueTask<LdapAnswer>(WhoAmI(session, request)),
        _ => throw new LdapException(ResultCode.ProtocolError, "there is no such operation here"),
    };

    /// <summary>Who am I? (RFC 4532).</summary>
    private LdapAnswer WhoAmI(LdapSession session, ExtendedRequest request)
    {
        if (request.Value is not null)
            throw new LdapException(ResultCode.ProtocolError, "the question has no value");
        var current = directory.Current;
        var identity = session.AccountId is { } id && current.Get(id) is { } account ? $"dn:{DirectoryNames.Of(current.GetDomain(account.DomainId)!, account)}" : "";
        return new LdapAnswer(LdapResult.Success, Value: Encoding.UTF8.GetBytes(identity));
    }
}
