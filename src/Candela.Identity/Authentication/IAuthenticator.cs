using Candela.Identity.Accounts;

namespace Candela.Identity.Authentication;

/// <summary>
/// Checks who somebody is. An unknown name takes the same work as a known one, and a refusal never says what was wrong: front ends must answer
/// every <see cref="AuthenticationOutcome.Refused"/> alike. Failures count against the name, until it is locked for a while.
/// </summary>
public interface IAuthenticator
{
    /// <summary>Checks a name and a password.</summary>
    Task<AuthenticationResult> VerifyPasswordAsync(LoginName login, string password, CancellationToken cancellationToken);

    /// <summary>
    /// Checks a one-time or recovery code of an account whose password has just been verified
    /// (<see cref="AuthenticationOutcome.SecondFactorRequired"/>). A code counts once.
    /// </summary>
    Task<AuthenticationResult> VerifySecondFactorAsync(Guid accountId, string code, CancellationToken cancellationToken);
}

/// <summary>What came of a check.</summary>
public enum AuthenticationOutcome
{
    /// <summary>Not let in.</summary>
    Refused,

    /// <summary>Let in.</summary>
    Succeeded,

    /// <summary>The password is right; a code is needed, too.</summary>
    SecondFactorRequired,

    /// <summary>The password is right, but has expired or was set by somebody else: only <see cref="ICredentials.ChangePasswordAsync"/> is open.</summary>
    PasswordChangeRequired,

    /// <summary>Too many checks wait: nothing was checked, and trying again in a second may help.</summary>
    Busy,
}

/// <summary>Why somebody was refused: for the audit log only.</summary>
public enum RefusalReason
{
    /// <summary>Not refused.</summary>
    None,

    /// <summary>No such domain or account.</summary>
    UnknownAccount,

    /// <summary>The account has no password.</summary>
    NoPassword,

    /// <summary>Wrong password.</summary>
    WrongPassword,

    /// <summary>Wrong, used or expired code.</summary>
    WrongCode,

    /// <summary>Too many failures; the password was not looked at.</summary>
    LockedOut,

    /// <summary>The account or its domain is disabled.</summary>
    Disabled,
}

/// <summary>What came of a check.</summary>
/// <param name="Outcome">Outcome.</param>
/// <param name="Account">The account, unless refused.</param>
/// <param name="Reason">Why it was refused; not to be told to the caller.</param>
public sealed record AuthenticationResult(AuthenticationOutcome Outcome, DirectoryEntry? Account, RefusalReason Reason = RefusalReason.None);
