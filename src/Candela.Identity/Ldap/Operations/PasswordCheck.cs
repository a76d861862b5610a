using Candela.Identity.Accounts;
using Candela.Identity.Authentication;

namespace Candela.Identity.Ldap.Operations;

/// <summary>
/// Checks passwords as LDAP brings them: an account with a second factor gives its one-time code behind the password, since a bind has no other
/// place for it.
/// </summary>
internal sealed class PasswordCheck(IDirectory directory, IAuthenticator authenticator, CredentialStore credentials)
{
    /// <summary>Checks.</summary>
    public async ValueTask<AuthenticationResult> CheckAsync(LoginName login, string password, CancellationToken cancellationToken)
    {
        var (own, code) = await SplitAsync(login, password, cancellationToken);
        var result = await authenticator.VerifyPasswordAsync(login, own, cancellationToken);
        return result.Outcome == AuthenticationOutcome.SecondFactorRequired && code is not null
            ? await authenticator.VerifySecondFactorAsync(result.Account!.Id, code, cancellationToken)
            : result;
    }

    /// <summary>Parts password and code; a name that does not exist takes the same work.</summary>
    /// <returns>The password, and the code; null: none is given, or none is needed.</returns>
    public async ValueTask<(string Password, string? Code)> SplitAsync(LoginName login, string password, CancellationToken cancellationToken)
    {
        var account = AccountNames.Find(directory.Current, login);
        var (document, _) = await credentials.ReadAsync(account?.Id ?? Guid.Empty, cancellationToken);
        int length = password.Length - Totp.DigitCount;
        return document.Totp is not null && length > 0 && password.AsSpan(length).IndexOfAnyExceptInRange('0', '9') < 0 ? (password[..length], password[length..]) : (password, null);
    }
}
