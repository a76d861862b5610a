using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldap.Tree;

namespace Candela.Identity.Ldap.Writing;

/// <summary>A change of <c>userPassword</c> in a modify request.</summary>
/// <param name="Old">Present password; null: not given.</param>
/// <param name="New">New password.</param>
internal sealed record PasswordChange(string? Old, string New)
{
    /// <summary>Reads it; null: the request is about something else.</summary>
    /// <exception cref="LdapException">It is about a password, but not in a way that is possible.</exception>
    public static PasswordChange? Read(IReadOnlyList<Modification> modifications)
    {
        if (!modifications.Any(IsPassword))
            return null;
        if (!modifications.All(IsPassword))
            throw new LdapException(ResultCode.UnwillingToPerform, "a password is changed by a request of its own");
        string? old = null, changed = null;
        foreach (var modification in modifications)
        {
            switch (modification.Kind, modification.Attribute.Values)
            {
                case (ModificationKind.Delete, []) when old is null && changed is null:
                    break;
                case (ModificationKind.Delete, [var value]) when old is null && changed is null:
                    old = TextOf(value);
                    break;
                case (ModificationKind.Add or ModificationKind.Replace, [var value]) when changed is null:
                    changed = TextOf(value);
                    break;
                default:
                    throw new LdapException(ResultCode.ConstraintViolation, "an account has one password: replace it, or delete the present one and add another");
            }
        }

        return changed is null ? throw new LdapException(ResultCode.UnwillingToPerform, "a password is not taken away by LDAP: use the candela command") : new PasswordChange(old, changed);
    }

    /// <summary>The password of an addition.</summary>
    /// <exception cref="LdapException">It is not in a form that is possible.</exception>
    public static string TextOf(byte[] value)
    {
        var text = StrictUtf8.TextOf(value) ?? throw new LdapException(ResultCode.InvalidAttributeSyntax, "a password is text (UTF-8)");

        // What {SSHA} and its like stand for was never seen by the rules of passwords.
        return text.StartsWith('{') && text.Contains('}', StringComparison.Ordinal)
            ? throw new LdapException(ResultCode.ConstraintViolation, "give the password itself, not a hash of it; it is hashed here")
            : text;
    }

    /// <summary>Says nothing of the passwords.</summary>
    public override string ToString() => nameof(PasswordChange);

    private static bool IsPassword(Modification modification) => AttributeDescription.Parse(modification.Attribute.Attribute)?.Type == AttributeTypes.UserPassword;
}
