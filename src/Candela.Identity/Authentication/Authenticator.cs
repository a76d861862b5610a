using System.Security.Cryptography;
using Candela.Identity.Accounts;
using Candela.Identity.Kerberos.Keys;
using Candela.Identity.Secrets;
using Candela.Identity.Storage;
using Candela.Model;

namespace Candela.Identity.Authentication;

/// <summary>Checks of passwords and codes.</summary>
internal sealed class Authenticator(
    IDirectory directory,
    CredentialStore credentials,
    FailureLedger failures,
    AttemptGate gate,
    VerifiedPasswords verified,
    ISecretBox secrets,
    PasswordKeys kerberos,
    IUpstreamPasswords upstream,
    IdentityOptions options,
    TimeProvider time) : IAuthenticator
{
    /// <summary>Longest name that is looked at, characters.</summary>
    private const int NameLength = AccountLimits.MachineNameLength;

    /// <summary>Longest code that is looked at, characters.</summary>
    private const int CodeLength = 64;

    /// <summary>How often a code is tried again when another change of the document came between.</summary>
    private const int AttemptCount = 8;

    /// <summary>Hash of nobody's password, for names that have none.</summary>
    private readonly Lazy<string> _nobody = new(() => PasswordHash.Make(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)), options.PasswordCost));

    /// <inheritdoc/>
    public async Task<AuthenticationResult> VerifyPasswordAsync(LoginName login, string password, CancellationToken cancellationToken)
    {
        var result = await CheckPasswordAsync(login, password, cancellationToken);
        return result.Outcome == AuthenticationOutcome.Succeeded ? await AdmitAsync(result.Account!, mayAskCode: true, cancellationToken) : result;
    }

    /// <inheritdoc/>
    public async Task<AuthenticationResult> VerifySecondFactorAsync(Guid accountId, string code, CancellationToken cancellationToken)
    {
        var result = await CheckCodeAsync(accountId, code, cancellationToken);
        return result.Outcome == AuthenticationOutcome.Succeeded ? await AdmitAsync(result.Account!, mayAskCode: false, cancellationToken) : result;
    }

    /// <summary>Lets an account in that has proved itself by a passkey.</summary>
    /// <param name="account">Who.</param>
    /// <param name="afterPassword">The password has been checked before: then what is due with it is asked for.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<AuthenticationResult> AdmitByPasskeyAsync(DirectoryEntry account, bool afterPassword, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        if (current.Get(account.Id) is not { Enabled: true, Kind: not EntryKind.Group } present || current.GetDomain(present.DomainId) is not { Enabled: true })
            return Refused(RefusalReason.Disabled);
        // Without a password, failures of others to guess it do not matter, nor does its age.
        return afterPassword ? await AdmitAsync(present, mayAskCode: false, cancellationToken) : new AuthenticationResult(AuthenticationOutcome.Succeeded, present);
    }

    /// <summary>Lets an account in for which an identity provider elsewhere vouches. A second factor that it has here is asked for here.</summary>
    public async Task<AuthenticationResult> AdmitByUpstreamAsync(DirectoryEntry account, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        if (current.Get(account.Id) is not { Enabled: true, Kind: not EntryKind.Group } present || current.GetDomain(present.DomainId) is not { Enabled: true })
            return Refused(RefusalReason.Disabled);
        var (document, _) = await credentials.ReadAsync(present.Id, cancellationToken);
        return new AuthenticationResult(document.Totp is not null || document.PasskeyRequired ? AuthenticationOutcome.SecondFactorRequired : AuthenticationOutcome.Succeeded, present);
    }

    /// <summary>Checks name and password, and whether the account is let in at all; not what else may be asked of it.</summary>
    public async Task<AuthenticationResult> CheckPasswordAsync(LoginName login, string password, CancellationToken cancellationToken)
    {
        // Says nothing of the name: answered before it is looked at.
        if (!PasswordPolicy.IsBearable(password) || login.Name.Length is 0 or > NameLength)
            return Refused(RefusalReason.WrongPassword);
        var current = directory.Current;
        var domain = current.FindDomain(login.Domain);
        var account = domain is null ? null : current.Find(domain.Id, login.Name) is { Kind: not EntryKind.Group } found ? found : null;
        var policy = domain?.PasswordPolicy ?? new PasswordPolicy();
        var place = await failures.FindAsync(domain?.Id ?? Guid.Empty, login.Name, cancellationToken);
        var (document, revision) = await credentials.ReadAsync(account?.Id ?? Guid.Empty, cancellationToken);
        if (account is { Enabled: true } && domain!.Enabled && verified.Contains(account.Id, revision, password) &&
            (await failures.ReadAsync(place, policy, cancellationToken)).LockedUntil is null)
            return new AuthenticationResult(AuthenticationOutcome.Succeeded, account);

        using var turn = await gate.EnterNameAsync(place, cancellationToken);
        if (turn is null)
            return Busy;
        bool locked = (await failures.ReadAsync(place, policy, cancellationToken)).LockedUntil is not null;
        if (await TryVerifyAsync(password, locked ? null : document.PasswordHash, cancellationToken) is not { } right)
            return Busy;
        // Who has no password here may have one elsewhere; who has one is none of theirs.
        bool isElsewhere = !locked && domain is { Enabled: true } && document.PasswordHash is null && account is not { Enabled: false };
        try
        {
            if (isElsewhere && await upstream.VerifyAsync(domain!, login.Name, account, password, cancellationToken) is { } admitted)
                return new AuthenticationResult(AuthenticationOutcome.Succeeded, admitted);
            if (!isElsewhere && !right && domain is not null)
                await upstream.PretendAsync(domain, cancellationToken);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.Unavailable)
        {
            return Busy;
        }

        var reason = locked ? RefusalReason.LockedOut
            : account is null ? RefusalReason.UnknownAccount
            : document.PasswordHash is null ? RefusalReason.NoPassword
            : !right ? RefusalReason.WrongPassword
            : !account.Enabled || !domain!.Enabled ? RefusalReason.Disabled
            : RefusalReason.None;
        if (reason != RefusalReason.None)
        {
            if (!locked)
                await failures.AddAsync(place, policy, cancellationToken);
            return Refused(reason);
        }

        await RememberAsync(account!.Id, document, revision, password, cancellationToken);
        return new AuthenticationResult(AuthenticationOutcome.Succeeded, account);
    }

    /// <summary>Checks a code, and takes it out of use.</summary>
    public async Task<AuthenticationResult> CheckCodeAsync(Guid accountId, string code, CancellationToken cancellationToken)
    {
        var current = directory.Current;
        if (current.Get(accountId) is not { Kind: not EntryKind.Group } account || current.GetDomain(account.DomainId) is not { } domain)
            return Refused(RefusalReason.UnknownAccount);
        var place = await failures.FindAsync(domain.Id, account.Name, cancellationToken);
        using var turn = await gate.EnterNameAsync(place, cancellationToken);
        if (turn is null)
            return Busy;
        if ((await failures.ReadAsync(place, domain.PasswordPolicy, cancellationToken)).LockedUntil is not null)
            return Refused(RefusalReason.LockedOut);
        if (!account.Enabled || !domain.Enabled)
            return Refused(RefusalReason.Disabled);
        if (code.Length <= CodeLength && await TryUseCodeAsync(accountId, code, cancellationToken))
            return new AuthenticationResult(AuthenticationOutcome.Succeeded, account);
        await failures.AddAsync(place, domain.PasswordPolicy, cancellationToken);
        return Refused(RefusalReason.WrongCode);
    }

    /// <summary>Forgets failures of an account's name.</summary>
    public async Task ForgetFailuresAsync(DirectoryEntry account, CancellationToken cancellationToken)
    {
        if (directory.Current.GetDomain(account.DomainId) is not { PasswordPolicy: var policy })
            return;
        var place = await failures.FindAsync(account.DomainId, account.Name, cancellationToken);
        if ((await failures.ReadAsync(place, policy, cancellationToken)).Count > 0)
            await failures.ClearAsync(place, policy, cancellationToken);
    }

    private static AuthenticationResult Busy { get; } = new(AuthenticationOutcome.Busy, null);

    private static AuthenticationResult Refused(RefusalReason reason) => new(AuthenticationOutcome.Refused, null, reason);

    /// <summary>What else is asked of an account whose password (and code, unless that may still be asked) is right.</summary>
    private async Task<AuthenticationResult> AdmitAsync(DirectoryEntry account, bool mayAskCode, CancellationToken cancellationToken)
    {
        var (document, _) = await credentials.ReadAsync(account.Id, cancellationToken);
        // Failures stay until all is right: the password alone must not give further guesses at codes.
        if (mayAskCode && (document.Totp is not null || document.PasskeyRequired))
            return new AuthenticationResult(AuthenticationOutcome.SecondFactorRequired, account);
        await ForgetFailuresAsync(account, cancellationToken);
        return new AuthenticationResult(MustChange(account, document) ? AuthenticationOutcome.PasswordChangeRequired : AuthenticationOutcome.Succeeded, account);
    }

    private bool MustChange(DirectoryEntry account, CredentialDocument document) =>
        document.MustChange ||
        (account is User && document.PasswordHash is not null && directory.Current.GetDomain(account.DomainId)?.PasswordPolicy.MaximumAgeDays is { } days && time.GetUtcNow() - document.PasswordChangedAt > TimeSpan.FromDays(days));

    /// <summary>Does the work of a check, whether there is a hash or not; null: too many wait.</summary>
    private async Task<bool?> TryVerifyAsync(string password, string? hash, CancellationToken cancellationToken)
    {
        using var core = await gate.EnterCoreAsync(cancellationToken);
        if (core is null)
            return null;
        bool right = PasswordHash.Verify(password, hash ?? _nobody.Value);
        return right && hash is not null;
    }

    /// <summary>Keeps in mind that a password is right, hashes it anew when the cost has changed, and makes Kerberos keys of it where there are none.</summary>
    private async Task RememberAsync(Guid accountId, CredentialDocument document, long revision, string password, CancellationToken cancellationToken)
    {
        if (PasswordHash.IsOutdated(document.PasswordHash!, options.PasswordCost))
        {
            // Whoever changes the document meanwhile comes first; the next login tries again.
            await credentials.TryReplaceAsync(accountId, document with { PasswordHash = PasswordHash.Make(password, options.PasswordCost) }, revision, cancellationToken);
            return;
        }

        if (kerberos.IsOn && document.Kerberos?.Sealed is null)
        {
            await credentials.TryReplaceAsync(accountId, document with { Kerberos = kerberos.Next(document.Kerberos, kerberos.Make(password), accountId) }, revision, cancellationToken);
            return;
        }

        verified.Add(accountId, revision, password);
    }

    private async Task<bool> TryUseCodeAsync(Guid accountId, string code, CancellationToken cancellationToken)
    {
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            var (document, revision) = await credentials.ReadAsync(accountId, cancellationToken);
            if (document.Totp is not { } totp || Use(accountId, document, totp, code) is not { } used)
                return false;
            // Only who writes that it was used has used it.
            if (await credentials.TryReplaceAsync(accountId, used, revision, cancellationToken))
                return true;
        }

        return false;
    }

    /// <summary>The document after the code's use; null: wrong code.</summary>
    private CredentialDocument? Use(Guid accountId, CredentialDocument document, TotpDocument totp, string code)
    {
        var secret = secrets.Open(totp.SealedSecret, IdentityKeys.Credential(accountId));
        try
        {
            if (Totp.Match(secret, code, time.GetUtcNow(), totp.LastStep) is { } step)
                return document with { Totp = totp with { LastStep = step } };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }

        return RecoveryCodes.Find(document.RecoveryDigests, code) is >= 0 and var index
            ? document with { RecoveryDigests = [.. document.RecoveryDigests.Where((_, i) => i != index)] }
            : null;
    }
}
