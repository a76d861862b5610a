using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Access;
using Candela.Identity.Ldap.Filters;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Server;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Operations;

/// <summary>Compares (RFC 4511, 4.10).</summary>
internal sealed class CompareOperation(IDirectory directory, NodeFinder finder)
{
    /// <exception cref="LdapException">It cannot be done.</exception>
    public async ValueTask<LdapAnswer> RunAsync(LdapSession session, CompareRequest request, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        var (node, _, level) = await finder.FindAsync(session, current, NodeFinder.Parse(request.Name), cancellationToken);
        var attribute = AttributeDescription.Parse(request.Attribute) ?? throw new LdapException(ResultCode.UndefinedAttributeType, "not an attribute's name");
        var match = new MatchContext().At(node, level);

        // What may not be seen is as if it were not there.
        if (match.Values(attribute).Count == 0)
            throw new LdapException(ResultCode.NoSuchAttribute, "the entry has no such attribute, or it is not for you to see");
        return new FilterCompiler(current).CompileEqual(attribute, request.Value).Matches(match) switch
        {
            true => new LdapResult(ResultCode.CompareTrue),
            false => new LdapResult(ResultCode.CompareFalse),
            null => attribute.Type.Equality is null
                ? new LdapResult(ResultCode.InappropriateMatching, $"{attribute.Type.Name} has no rule of equality")
                : new LdapResult(ResultCode.InvalidAttributeSyntax, $"not a value of {attribute.Type.Name}"),
        };
    }
}
