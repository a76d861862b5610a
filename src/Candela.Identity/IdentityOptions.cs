using Candela.Identity.Authentication;

namespace Candela.Identity;

/// <summary>Options of identity.</summary>
public sealed record IdentityOptions
{
    /// <summary>Folder of the key file and the initial administrator's password; made with mode 0700.</summary>
    public required string Folder { get; init; }

    /// <summary>Cost of password hashes; those made with another cost are made anew at the next login.</summary>
    public PasswordCost PasswordCost { get; init; } = PasswordCost.Default;
}
