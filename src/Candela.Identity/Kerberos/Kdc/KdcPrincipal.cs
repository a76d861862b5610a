using Candela.Identity.Kerberos.Keys;

namespace Candela.Identity.Kerberos.Kdc;

/// <summary>What a principal may do and must do (KRB5_KDB_* of kdb.h).</summary>
[Flags]
internal enum PrincipalFlags
{
    /// <summary>Nobody gets a ticket from it or for it.</summary>
    DisallowAllTickets = 0x40,

    /// <summary>It proves that it has its key before it gets a ticket.</summary>
    RequiresPreauthentication = 0x80,

    /// <summary>Its password is only good for choosing another one.</summary>
    RequiresPasswordChange = 0x200,

    /// <summary>It is no service: nobody gets a ticket that is encrypted by a key of its password.</summary>
    DisallowService = 0x1000,

    /// <summary>Its keys are not given out.</summary>
    Lockdown = 0x800000,
}

/// <summary>A principal in the KDC's database.</summary>
/// <param name="Name">Name without realm.</param>
/// <param name="Flags">Flags.</param>
/// <param name="PasswordExpiresAt">When its password ends; null: never.</param>
/// <param name="Policy">Policy about failures; null: none.</param>
/// <param name="Version">Number of the keys.</param>
/// <param name="Salt">Salt of keys of a password; null: random ones.</param>
/// <param name="Keys">Keys; none of one that nobody can use.</param>
internal sealed record KdcPrincipal(string Name, PrincipalFlags Flags, DateTimeOffset? PasswordExpiresAt, string? Policy, uint Version, string? Salt, KerberosKey[] Keys);
