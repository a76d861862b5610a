using System.Formats.Asn1;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Ldap.Access;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Server;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Operations;

/// <summary>The Password Modify operation (RFC 3062).</summary>
internal sealed class PasswordModify(IDirectory directory, PasswordService passwords, NodeFinder finder)
{
    /// <exception cref="LdapException">It cannot be done.</exception>
    /// <exception cref="LdapProtocolException">Malformed.</exception>
    public async ValueTask<LdapAnswer> RunAsync(LdapSession session, byte[]? request, CancellationToken cancellationToken)
    {
        var (identity, old, given) = Read(request);
        var current = directory.Current;
        var changed = given ?? PasswordService.Generate();
        var own = session.AccountId is { } id && current.Get(id) is { } account && current.GetDomain(account.DomainId) is { } domain ? TreeNode.Of(current, domain, account) : null;
        var login = identity is not null ? AccountNames.Parse(current, identity)
            : own is not null ? new LoginName(own.Domain.Name, own.Entry.Name)
            : throw new LdapException(ResultCode.UnwillingToPerform, "whose password is not said: bind first, or name the account and give its present password");
        if (old is not null)
        {
            await passwords.ChangeAsync(session, login, old, changed, cancellationToken);
        }
        else
        {
            var actor = session.RequireActor(current);
            var (node, _, _) = await finder.FindAsync(session, current, NodeFinder.Parse(identity ?? own!.Name), cancellationToken);
            if (node.Kind != NodeKind.Entry)
                throw new LdapException(ResultCode.ObjectClassViolation, "this entry has no password");
            if (node.Entry.Id == session.AccountId)
                throw new LdapException(ResultCode.UnwillingToPerform, "to change one's own password takes the present one (ldappasswd -a or -A)");
            await passwords.ResetAsync(session, actor, node, changed, cancellationToken);
        }

        return given is null ? new LdapAnswer(LdapResult.Success, Value: Encode(changed)) : LdapAnswer.Success;
    }

    private static (string? Identity, string? Old, string? New) Read(byte[]? request)
    {
        if (request is null)
            return (null, null, null);
        var outer = new BerReader(request);
        var reader = outer.ReadSequence();
        outer.End();
        var parts = new string?[3];
        for (int i = 0; i < parts.Length; i++)
        {
            if (reader.NextIs(LdapTags.Context(i)))
                parts[i] = BerReader.Text(reader.Read(LdapTags.Context(i)));
        }

        reader.End();
        return (parts[0], parts[1], parts[2]);
    }

    private static byte[] Encode(string generated)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        writer.PushSequence();
        ResponseWriter.WriteText(writer, generated, LdapTags.Context(0));
        writer.PopSequence();
        return writer.Encode();
    }
}
