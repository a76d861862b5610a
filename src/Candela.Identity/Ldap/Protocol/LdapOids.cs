namespace Candela.Identity.Ldap.Protocol;

/// <summary>Object identifiers of controls, extended operations and features.</summary>
internal static class LdapOids
{
    /// <summary>StartTLS (RFC 4511, 4.14).</summary>
    public const string StartTls = "1.3.6.1.4.1.1466.20037";

    /// <summary>Notice of Disconnection (RFC 4511, 4.4.1).</summary>
    public const string Disconnection = "1.3.6.1.4.1.1466.20036";

    /// <summary>Password Modify (RFC 3062).</summary>
    public const string PasswordModify = "1.3.6.1.4.1.4203.1.11.1";

    /// <summary>Who am I? (RFC 4532).</summary>
    public const string WhoAmI = "1.3.6.1.4.1.4203.1.11.3";

    /// <summary>Simple paged results (RFC 2696).</summary>
    public const string PagedResults = "1.2.840.113556.1.4.319";

    /// <summary>ManageDsaIT (RFC 3296): there are no referrals here, so that it changes nothing.</summary>
    public const string ManageDsaIt = "2.16.840.1.113730.3.4.2";

    /// <summary>Password policy (draft-behera-ldap-password-policy-10, 6).</summary>
    public const string PasswordPolicy = "1.3.6.1.4.1.42.2.27.8.5.1";

    /// <summary>All operational attributes (RFC 3673).</summary>
    public const string AllOperationalAttributes = "1.3.6.1.4.1.4203.1.5.1";

    /// <summary>Absolute true and false filters (RFC 4526).</summary>
    public const string AbsoluteFilters = "1.3.6.1.4.1.4203.1.5.3";

    /// <summary>Modify-increment (RFC 4525).</summary>
    public const string ModifyIncrement = "1.3.6.1.1.14";
}
