using Candela.Identity.Accounts;
using Candela.Model;

namespace Candela.Identity.Authentication;

/// <summary>
/// What accounts prove themselves by. Says nothing about who may do what: that is the caller's to ask. Failures are
/// <see cref="CandelaException"/>s.
/// </summary>
public interface ICredentials
{
    /// <summary>What an account has.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    Task<CredentialStatus> GetStatusAsync(Guid accountId, CancellationToken cancellationToken);

    /// <summary>Makes an account with a password, both or nothing.</summary>
    /// <exception cref="CandelaException">As <see cref="IDirectory.CreateAsync"/>; InvalidArgument: too weak.</exception>
    Task<T> CreateAsync<T>(T account, string password, bool mustChange, CancellationToken cancellationToken)
        where T : DirectoryEntry;

    /// <summary>Sets an account's password in its owner's stead, and ends its lock.</summary>
    /// <param name="accountId">A user, service account or machine.</param>
    /// <param name="password">Password.</param>
    /// <param name="mustChange">Only good for choosing another one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">NotFound; InvalidArgument: too weak, or used before.</exception>
    Task SetPasswordAsync(Guid accountId, string password, bool mustChange, CancellationToken cancellationToken);

    /// <summary>Changes one's own password.</summary>
    /// <param name="login">Who.</param>
    /// <param name="password">Present password, expired or not.</param>
    /// <param name="code">One-time or recovery code, if the account has a second factor.</param>
    /// <param name="newPassword">New password.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The outcome; <see cref="AuthenticationOutcome.Succeeded"/>: changed.</returns>
    /// <exception cref="CandelaException">InvalidArgument: the new one is too weak, or was used before.</exception>
    Task<AuthenticationResult> ChangePasswordAsync(LoginName login, string password, string? code, string newPassword, CancellationToken cancellationToken);

    /// <summary>Takes the password away.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    Task RemovePasswordAsync(Guid accountId, CancellationToken cancellationToken);

    /// <summary>Ends an account's lock and forgets its failures.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    Task UnlockAsync(Guid accountId, CancellationToken cancellationToken);

    /// <summary>Makes a key for one-time codes (RFC 6238); it counts once <see cref="ConfirmTotpAsync"/> has seen a code of it.</summary>
    /// <exception cref="CandelaException">NotFound; Conflict: there is one that counts already.</exception>
    Task<TotpEnrolment> BeginTotpAsync(Guid accountId, CancellationToken cancellationToken);

    /// <summary>Puts the new key in force.</summary>
    /// <returns>Recovery codes, each good once in place of a one-time code; they cannot be shown again.</returns>
    /// <exception cref="CandelaException">NotFound; Conflict: none was begun; InvalidArgument: wrong code.</exception>
    Task<IReadOnlyList<string>> ConfirmTotpAsync(Guid accountId, string code, CancellationToken cancellationToken);

    /// <summary>Makes new recovery codes; the former ones end.</summary>
    /// <exception cref="CandelaException">NotFound; Conflict: there is no second factor.</exception>
    Task<IReadOnlyList<string>> RenewRecoveryCodesAsync(Guid accountId, CancellationToken cancellationToken);

    /// <summary>Takes the second factors away: one-time codes, recovery codes and passkeys.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    Task RemoveTotpAsync(Guid accountId, CancellationToken cancellationToken);
}

/// <summary>What an account proves itself by.</summary>
/// <param name="HasPassword">It has a password.</param>
/// <param name="PasswordChangedAt">When the password was set.</param>
/// <param name="MustChangePassword">The password is only good for choosing another one.</param>
/// <param name="HasTotp">One-time codes are asked for.</param>
/// <param name="RecoveryCodeCount">Recovery codes that are left.</param>
/// <param name="LockedUntil">End of the present lock; null: not locked.</param>
public sealed record CredentialStatus(
    bool HasPassword, DateTimeOffset? PasswordChangedAt, bool MustChangePassword, bool HasTotp, int RecoveryCodeCount, DateTimeOffset? LockedUntil);

/// <summary>A key for one-time codes, to be taken into an authenticator program.</summary>
/// <param name="Secret">The key in base32.</param>
/// <param name="Uri"><c>otpauth:</c> address, for a QR code.</param>
public sealed record TotpEnrolment(string Secret, string Uri)
{
    /// <summary>Says nothing of the key.</summary>
    public override string ToString() => nameof(TotpEnrolment);
}
