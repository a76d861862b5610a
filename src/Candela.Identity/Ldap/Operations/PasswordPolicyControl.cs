using System.Formats.Asn1;
using Candela.Identity.Ldap.Protocol;

namespace Candela.Identity.Ldap.Operations;

/// <summary>
/// The control by which a client says that it can lead people through a change of their password (draft-behera-ldap-password-policy-10, 6).
/// Of what it could tell, only that is told which the right password has earned.
/// </summary>
internal static class PasswordPolicyControl
{
    private enum Error
    {
        ChangeAfterReset = 2,
    }

    /// <summary>The client knows of it.</summary>
    public static bool IsAskedFor(IReadOnlyList<LdapControl> controls) => controls.Any(control => control.Type == LdapOids.PasswordPolicy);

    /// <summary>The password must be changed before anything else.</summary>
    public static LdapControl MustChange()
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        writer.PushSequence();
        writer.WriteEnumeratedValue(Error.ChangeAfterReset, LdapTags.Context(1));
        writer.PopSequence();
        return new LdapControl(LdapOids.PasswordPolicy, false, writer.Encode());
    }
}
