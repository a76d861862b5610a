using System.Security.Cryptography;
using Candela.Identity.Accounts;
using Candela.Identity.Kerberos.Keys;
using Candela.Identity.Secrets;
using Candela.Identity.Storage;
using Candela.Model;

namespace Candela.Identity.Authentication;

/// <summary>Administration of credentials.</summary>
internal sealed class StoredCredentials(
    StoredDirectory directory,
    CredentialStore store,
    FailureLedger failures,
    Authenticator authenticator,
    InitialAdministrator administrator,
    PasswordKeys kerberos,
    ISecretBox secrets,
    IdentityOptions options,
    TimeProvider time) : ICredentials
{
    /// <inheritdoc/>
    public async Task<CredentialStatus> GetStatusAsync(Guid accountId, CancellationToken cancellationToken)
    {
        var account = store.GetAccount(accountId);
        var (document, _) = await store.ReadAsync(accountId, cancellationToken);
        var place = await failures.FindAsync(account.DomainId, account.Name, cancellationToken);
        var (lockedUntil, _) = await failures.ReadAsync(place, PolicyOf(account), cancellationToken);
        bool hasPassword = document.PasswordHash is not null;
        return new CredentialStatus(
            hasPassword, hasPassword ? document.PasswordChangedAt : null, document.MustChange, document.Totp is not null, document.RecoveryDigests.Length, lockedUntil);
    }

    /// <inheritdoc/>
    public Task<T> CreateAsync<T>(T account, string password, bool mustChange, CancellationToken cancellationToken)
        where T : DirectoryEntry
    {
        if (account is Group)
            throw new CandelaException(ErrorCode.InvalidArgument, "A group has no password.");
        PolicyOf(account).CheckPassword(account, password);
        var document = With(CredentialDocument.None, PasswordHash.Make(password, options.PasswordCost), mustChange, historyCount: 0);
        var keys = kerberos.Make(password);
        return directory.CreateAsync(
            account,
            (made, transaction) => transaction.Put(IdentityKeys.Credential(made.Id), CredentialStore.Encode(document with { Kerberos = kerberos.Next(null, keys, made.Id) })),
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task SetPasswordAsync(Guid accountId, string password, bool mustChange, CancellationToken cancellationToken)
    {
        await ReplacePasswordAsync(accountId, password, mustChange, cancellationToken);
        await authenticator.ForgetFailuresAsync(store.GetAccount(accountId), cancellationToken);
        await administrator.OnPasswordChangedAsync(accountId, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<AuthenticationResult> ChangePasswordAsync(
        LoginName login, string password, string? code, string newPassword, CancellationToken cancellationToken)
    {
        var result = await authenticator.CheckPasswordAsync(login, password, cancellationToken);
        if (result is not { Outcome: AuthenticationOutcome.Succeeded, Account: { } account })
            return result;
        var (document, _) = await store.ReadAsync(account.Id, cancellationToken);
        if (document.PasswordHash is null)
            throw new CandelaException(ErrorCode.InvalidArgument, "The password is kept by the directory that this account comes from: change it there.");
        if (document.Totp is not null)
        {
            if (code is null)
                return new AuthenticationResult(AuthenticationOutcome.SecondFactorRequired, account);
            // Before the code: it counts only once, and would be lost to a password that is too weak.
            CheckNew(account, newPassword, document);
            result = await authenticator.CheckCodeAsync(account.Id, code, cancellationToken);
            if (result.Outcome != AuthenticationOutcome.Succeeded)
                return result;
        }

        await ReplacePasswordAsync(account.Id, newPassword, mustChange: false, cancellationToken);
        await authenticator.ForgetFailuresAsync(account, cancellationToken);
        await administrator.OnPasswordChangedAsync(account.Id, cancellationToken);
        return result;
    }

    /// <inheritdoc/>
    public Task RemovePasswordAsync(Guid accountId, CancellationToken cancellationToken) =>
        store.UpdateAsync(accountId, (_, document) => document with { PasswordHash = null, MustChange = false, Kerberos = kerberos.Next(document.Kerberos, null, accountId) }, cancellationToken);

    /// <inheritdoc/>
    public Task UnlockAsync(Guid accountId, CancellationToken cancellationToken) =>
        authenticator.ForgetFailuresAsync(store.GetAccount(accountId), cancellationToken);

    /// <inheritdoc/>
    public async Task<TotpEnrolment> BeginTotpAsync(Guid accountId, CancellationToken cancellationToken)
    {
        var secret = RandomNumberGenerator.GetBytes(Totp.SecretBytes);
        var text = Base32.Encode(secret);
        var account = store.GetAccount(accountId);
        try
        {
            await store.UpdateAsync(
                accountId,
                (_, document) => document.Totp is null
                    ? document with { SealedNewTotpSecret = secrets.Seal(secret, IdentityKeys.Credential(accountId)) }
                    : throw new CandelaException(ErrorCode.Conflict, "The account has a second factor already: remove it first."),
                cancellationToken);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }

        return new TotpEnrolment(text, Totp.Uri(text, $"{account.Name}@{directory.Current.GetDomain(account.DomainId)?.Name}"));
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ConfirmTotpAsync(Guid accountId, string code, CancellationToken cancellationToken)
    {
        var (codes, digests) = RecoveryCodes.Make();
        await store.UpdateAsync(accountId, (_, document) => Confirmed(document), cancellationToken);
        return codes;

        CredentialDocument Confirmed(CredentialDocument document)
        {
            if (document.SealedNewTotpSecret is not { } sealedSecret)
                throw new CandelaException(ErrorCode.Conflict, "There is no new second factor to confirm: begin with making one.");
            var secret = secrets.Open(sealedSecret, IdentityKeys.Credential(accountId));
            var step = Totp.Match(secret, code, time.GetUtcNow(), lastStep: 0);
            CryptographicOperations.ZeroMemory(secret);
            return step is { } used
                ? document with { Totp = new TotpDocument(sealedSecret, used), SealedNewTotpSecret = null, RecoveryDigests = digests }
                : throw new CandelaException(ErrorCode.InvalidArgument, "The code is wrong: look whether the clock of the device is right, then give the next code.");
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> RenewRecoveryCodesAsync(Guid accountId, CancellationToken cancellationToken)
    {
        var (codes, digests) = RecoveryCodes.Make();
        await store.UpdateAsync(
            accountId,
            (_, document) => document.Totp is not null
                ? document with { RecoveryDigests = digests }
                : throw new CandelaException(ErrorCode.Conflict, "The account has no second factor."),
            cancellationToken);
        return codes;
    }

    /// <inheritdoc/>
    public Task RemoveTotpAsync(Guid accountId, CancellationToken cancellationToken) =>
        store.UpdateAsync(accountId, (_, document) => document with { Totp = null, SealedNewTotpSecret = null, RecoveryDigests = [], Passkeys = [], PasskeyRequired = false }, cancellationToken);

    private Task ReplacePasswordAsync(Guid accountId, string password, bool mustChange, CancellationToken cancellationToken)
    {
        var now = store.GetAccount(accountId);
        PolicyOf(now).CheckPassword(now, password);
        var hash = PasswordHash.Make(password, options.PasswordCost);
        var keys = kerberos.Make(password);
        return store.UpdateAsync(
            accountId,
            (account, document) =>
            {
                CheckNew(account, password, document);
                return With(document, hash, mustChange, PolicyOf(account).HistoryCount) with { Kerberos = kerberos.Next(document.Kerberos, keys, accountId) };
            },
            cancellationToken);
    }

    private CredentialDocument With(CredentialDocument document, string hash, bool mustChange, int historyCount) => document with
    {
        PasswordHash = hash,
        PasswordChangedAt = time.GetUtcNow(),
        MustChange = mustChange,
        History = document.PasswordHash is { } former ? [.. document.History.Prepend(former).Take(historyCount)] : [.. document.History.Take(historyCount)],
    };

    private void CheckNew(DirectoryEntry account, string password, CredentialDocument document)
    {
        var policy = PolicyOf(account);
        policy.CheckPassword(account, password);
        IEnumerable<string> former = document.PasswordHash is { } present ? document.History.Prepend(present) : document.History;
        if (policy.HistoryCount > 0 && former.Take(policy.HistoryCount).Any(hash => PasswordHash.Verify(password, hash)))
            throw new CandelaException(ErrorCode.InvalidArgument, $"The password is one of the last {policy.HistoryCount}: choose another one.");
    }

    private PasswordPolicy PolicyOf(DirectoryEntry account) => directory.Current.GetDomain(account.DomainId)?.PasswordPolicy ?? new PasswordPolicy();
}
