namespace Candela.Model.Identity;

/// <summary>Change of one's own password.</summary>
public sealed record ChangePasswordRequest
{
    /// <summary><c>NAME@DOMAIN</c>, or the name in the system domain.</summary>
    public required string Login { get; init; }

    /// <summary>Present password, expired or not.</summary>
    public required string Password { get; init; }

    /// <summary>One-time or recovery code, if the account has a second factor.</summary>
    public string? Code { get; init; }

    /// <summary>New password.</summary>
    public required string NewPassword { get; init; }
}

/// <summary>Begin of one's own second factor, or new recovery codes.</summary>
public sealed record SelfRequest
{
    /// <summary><c>NAME@DOMAIN</c>, or the name in the system domain.</summary>
    public required string Login { get; init; }

    /// <summary>Password.</summary>
    public required string Password { get; init; }

    /// <summary>One-time or recovery code: to confirm the new key, or where the account has a second factor.</summary>
    public string? Code { get; init; }
}

/// <summary>A new key for one-time codes.</summary>
/// <param name="Secret">The key in base32.</param>
/// <param name="Uri"><c>otpauth:</c> address for a QR code.</param>
public sealed record TotpReport(string Secret, string Uri)
{
    /// <summary>Says nothing of the key.</summary>
    public override string ToString() => nameof(TotpReport);
}

/// <summary>New recovery codes; they cannot be shown again.</summary>
/// <param name="Codes">Each is good once in place of a one-time code.</param>
public sealed record RecoveryCodesReport(IReadOnlyList<string> Codes)
{
    /// <summary>Says nothing of the codes.</summary>
    public override string ToString() => nameof(RecoveryCodesReport);
}
