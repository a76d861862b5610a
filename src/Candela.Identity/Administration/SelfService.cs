using Candela.Identity.Authentication;
using Candela.Model;

namespace Candela.Identity.Administration;

/// <summary>
/// What accounts do for themselves, by their password and code rather than by a role. Every call is kept in the audit log. Failures are
/// <see cref="CandelaException"/>s; Unauthenticated says nothing of what was wrong.
/// </summary>
public sealed class SelfService
{
    private readonly IAuthenticator _authenticator;
    private readonly ICredentials _credentials;
    private readonly AccessGuard _guard;

    internal SelfService(IAuthenticator authenticator, ICredentials credentials, AccessGuard guard)
    {
        _authenticator = authenticator;
        _credentials = credentials;
        _guard = guard;
    }

    /// <summary>Changes the password.</summary>
    /// <exception cref="CandelaException">Unauthenticated; InvalidArgument: too weak or used before; Unavailable: too many sign-ins.</exception>
    public Task ChangePasswordAsync(Actor actor, LoginName login, string password, string? code, string newPassword, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "self.change-password", login.ToString(), async () =>
            Admit(await _credentials.ChangePasswordAsync(login, password, code, newPassword, cancellationToken), AuthenticationOutcome.Succeeded));

    /// <summary>Makes a key for one-time codes, which counts once it is confirmed.</summary>
    /// <exception cref="CandelaException">Unauthenticated; Conflict: there is one that counts already; Unavailable: too many sign-ins.</exception>
    public Task<TotpEnrolment> BeginTotpAsync(Actor actor, LoginName login, string password, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "self.begin-second-factor", login.ToString(), async () =>
        {
            var account = Admit(
                await _authenticator.VerifyPasswordAsync(login, password, cancellationToken), AuthenticationOutcome.Succeeded, AuthenticationOutcome.SecondFactorRequired);
            return await _credentials.BeginTotpAsync(account, cancellationToken);
        });

    /// <summary>Puts the new key in force.</summary>
    /// <returns>Recovery codes.</returns>
    /// <exception cref="CandelaException">Unauthenticated; Conflict: none was begun; InvalidArgument: wrong code; Unavailable: too many sign-ins.</exception>
    public Task<IReadOnlyList<string>> ConfirmTotpAsync(Actor actor, LoginName login, string password, string code, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "self.confirm-second-factor", login.ToString(), async () =>
            await _credentials.ConfirmTotpAsync(
                Admit(await _authenticator.VerifyPasswordAsync(login, password, cancellationToken), AuthenticationOutcome.Succeeded), code, cancellationToken));

    /// <summary>Makes new recovery codes in place of the former ones.</summary>
    /// <exception cref="CandelaException">Unauthenticated; Conflict: there is no second factor; Unavailable: too many sign-ins.</exception>
    public Task<IReadOnlyList<string>> RenewRecoveryCodesAsync(Actor actor, LoginName login, string password, string code, CancellationToken cancellationToken) =>
        _guard.RunAsync(actor, "self.renew-recovery-codes", login.ToString(), async () =>
        {
            var result = await _authenticator.VerifyPasswordAsync(login, password, cancellationToken);
            if (result is { Outcome: AuthenticationOutcome.SecondFactorRequired, Account: { } account })
                result = await _authenticator.VerifySecondFactorAsync(account.Id, code, cancellationToken);
            return await _credentials.RenewRecoveryCodesAsync(Admit(result, AuthenticationOutcome.Succeeded), cancellationToken);
        });

    private static Guid Admit(AuthenticationResult result, params ReadOnlySpan<AuthenticationOutcome> admitted) =>
        admitted.Contains(result.Outcome) ? result.Account!.Id : throw (result.Outcome switch
        {
            AuthenticationOutcome.Busy => new CandelaException(ErrorCode.Unavailable, "Too many sign-ins at once: try again in a moment."),
            AuthenticationOutcome.SecondFactorRequired => new CandelaException(ErrorCode.Unauthenticated, "A one-time code is needed, too: give the code that the device shows."),
            AuthenticationOutcome.PasswordChangeRequired => new CandelaException(ErrorCode.Unauthenticated, "The password must be changed first: choose another one."),
            _ => new CandelaException(ErrorCode.Unauthenticated, "The name, password or code is wrong, or the account cannot sign in now: check them, or ask an administrator."),
        });
}
