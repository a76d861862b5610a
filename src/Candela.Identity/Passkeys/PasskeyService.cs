using System.Security.Cryptography;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Jose;
using Candela.Identity.Secrets;
using Candela.Identity.SignIn;
using Candela.Identity.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.Passkeys;

/// <summary>Passkeys of accounts: made by their owners, used to sign in without a password or after it.</summary>
internal sealed class PasskeyService(
    IStateStore store, CredentialStore credentials, Authenticator authenticator, IDirectory directory, ISecretBox secrets, SignInOptions options, TimeProvider time) : IDisposable
{
    /// <summary>Most passkeys of an account.</summary>
    public const int Count = 16;

    /// <summary>Longest name of a passkey, characters.</summary>
    public const int NameLength = 64;

    private const int ChallengeBytes = 32;
    private const string SealPlace = "passkey challenge";
    private const string UsedPrefix = IdentityKeys.Root + "passkey-challenges/";

    /// <summary>How often a use is tried again when another change of the document came between.</summary>
    private const int AttemptCount = 8;

    private static readonly TimeSpan ChallengeTime = TimeSpan.FromMinutes(5);

    private readonly PasskeyVerifier _verifier = new(options.PublicUrl.Host, options.Origin);
    private readonly ExpiryLeases _leases = new(store, time);

    /// <summary>An account's passkeys, and whether one is asked for after its password.</summary>
    public async Task<(IReadOnlyList<PasskeyDocument> Passkeys, bool Required)> ListAsync(Guid accountId, CancellationToken cancellationToken)
    {
        var (document, _) = await credentials.ReadAsync(accountId, cancellationToken);
        return (document.Passkeys, document.PasskeyRequired);
    }

    /// <summary>What a browser is asked for to make a passkey (JSON), and the sealed challenge that must come back with it.</summary>
    public async Task<(string Options, string State)> BeginRegistrationAsync(DirectoryEntry account, CancellationToken cancellationToken)
    {
        var (passkeys, _) = await ListAsync(account.Id, cancellationToken);
        var (challenge, state) = Challenge(PasskeyPurpose.Registration, account.Id);
        var name = $"{account.Name}@{directory.Current.GetDomain(account.DomainId)?.Name}";
        var asked = new CreationOptions(
            new RelyingParty(options.PublicUrl.Host, "Candela"),
            new UserEntity(Base64UrlText.Encode(account.Id.ToByteArray(bigEndian: true)), name, (account as User)?.DisplayName ?? name),
            challenge,
            [new CredentialParameters("public-key", CoseKey.Es256), new CredentialParameters("public-key", CoseKey.Rs256)],
            (long)ChallengeTime.TotalMilliseconds,
            Describe(passkeys),
            new AuthenticatorSelection("required", RequireResidentKey: true, "required"),
            "none");
        return (JsonSerializer.Serialize(asked, PasskeyJson.Default.CreationOptions), state);
    }

    /// <summary>Keeps a new passkey.</summary>
    /// <exception cref="PasskeyException">It is not good.</exception>
    /// <exception cref="CandelaException">NotFound; ResourceExhausted: too many.</exception>
    public async Task RegisterAsync(DirectoryEntry account, string state, string json, string name, CancellationToken cancellationToken)
    {
        var challenge = Open(state, PasskeyPurpose.Registration, account.Id);
        var shown = name.Trim() is { Length: > 0 and <= NameLength } given && !given.Any(char.IsControl) ? given : "Passkey";
        var made = _verifier.VerifyRegistration(json, challenge.Value, shown, time.GetUtcNow());
        await UseAsync(challenge, cancellationToken);
        await credentials.UpdateAsync(
            account.Id,
            (_, document) => document.Passkeys.Length >= Count ? throw new CandelaException(ErrorCode.ResourceExhausted, $"An account has at most {Count} passkeys: remove one first.")
                : document.Passkeys.Any(p => p.Id.AsSpan().SequenceEqual(made.Id)) ? throw new PasskeyException("the passkey is there already")
                : document with { Passkeys = [.. document.Passkeys, made] },
            cancellationToken);
    }

    /// <summary>Removes a passkey; with the last one, none is asked for any more.</summary>
    /// <exception cref="CandelaException">NotFound: no such account.</exception>
    public Task RemoveAsync(Guid accountId, byte[] id, CancellationToken cancellationToken) => credentials.UpdateAsync(
        accountId,
        (_, document) =>
        {
            PasskeyDocument[] left = [.. document.Passkeys.Where(p => !p.Id.AsSpan().SequenceEqual(id))];
            return document with { Passkeys = left, PasskeyRequired = document.PasskeyRequired && left.Length > 0 };
        },
        cancellationToken);

    /// <summary>Says whether a passkey is asked for after the password.</summary>
    /// <exception cref="CandelaException">NotFound; Conflict: there is none.</exception>
    public Task RequireAsync(Guid accountId, bool required, CancellationToken cancellationToken) => credentials.UpdateAsync(
        accountId,
        (_, document) => required && document.Passkeys.Length == 0
            ? throw new CandelaException(ErrorCode.Conflict, "There is no passkey to ask for: add one first.")
            : document with { PasskeyRequired = required },
        cancellationToken);

    /// <summary>What a browser is asked for to sign in (JSON), and the sealed challenge that must come back with it.</summary>
    /// <param name="account">Whose passkey it must be; null: anybody's, and the browser offers those that it has.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<(string Options, string State)> BeginSignInAsync(DirectoryEntry? account, CancellationToken cancellationToken)
    {
        var passkeys = account is null ? [] : (await ListAsync(account.Id, cancellationToken)).Passkeys;
        var (challenge, state) = Challenge(PasskeyPurpose.SignIn, account?.Id ?? Guid.Empty);
        var asked = new RequestOptions(challenge, options.PublicUrl.Host, (long)ChallengeTime.TotalMilliseconds, Describe(passkeys), "required");
        return (JsonSerializer.Serialize(asked, PasskeyJson.Default.RequestOptions), state);
    }

    /// <summary>Checks a proof.</summary>
    /// <param name="account">Whose it must be; null: anybody's.</param>
    /// <param name="state">Sealed challenge.</param>
    /// <param name="json">What the browser sent.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>What comes of it, and how it was done (RFC 8176).</returns>
    /// <exception cref="PasskeyException">It is not good.</exception>
    public async Task<(AuthenticationResult Result, IReadOnlyList<string> Methods)> SignInAsync(DirectoryEntry? account, string state, string json, CancellationToken cancellationToken)
    {
        var challenge = Open(state, PasskeyPurpose.SignIn, account?.Id ?? Guid.Empty);
        var (message, credentialId) = PasskeyVerifier.ReadAssertion(json);
        var owner = account ?? Owner(message) ?? throw new PasskeyException("the passkey is of no account here");
        if (message.Response.UserHandle is { } handle && handle != Base64UrlText.Encode(owner.Id.ToByteArray(bigEndian: true)))
            throw new PasskeyException("the passkey is of another account");
        for (int attempt = 0; attempt < AttemptCount; attempt++)
        {
            var (document, revision) = await credentials.ReadAsync(owner.Id, cancellationToken);
            int index = Array.FindIndex(document.Passkeys, p => p.Id.AsSpan().SequenceEqual(credentialId));
            if (index < 0)
                throw new PasskeyException("the account does not have this passkey");
            var (used, data) = _verifier.VerifyAssertion(message, document.Passkeys[index], challenge.Value, time.GetUtcNow());
            if (attempt == 0)
                await UseAsync(challenge, cancellationToken);
            PasskeyDocument[] changed = [.. document.Passkeys];
            changed[index] = used;
            // Only who writes the counter has used it.
            if (!await credentials.TryReplaceAsync(owner.Id, document with { Passkeys = changed }, revision, cancellationToken))
                continue;
            // Possession of the key, and a PIN or finger on it: two factors.
            return (await authenticator.AdmitByPasskeyAsync(owner, afterPassword: account is not null, cancellationToken), [data.IsBackupEligible ? "swk" : "hwk", "user", "mfa"]);
        }

        throw new PasskeyException("others change this account all the time");
    }

    public void Dispose() => _leases.Dispose();

    private DirectoryEntry? Owner(AssertionMessage message) =>
        message.Response.UserHandle is { } handle && Base64UrlText.TryDecode(handle) is { Length: 16 } id ? directory.Current.Get(new Guid(id, bigEndian: true)) : null;

    private static CredentialDescriptor[] Describe(IReadOnlyList<PasskeyDocument> passkeys) => [.. passkeys.Select(p => new CredentialDescriptor("public-key", Base64UrlText.Encode(p.Id)))];

    private (string Challenge, string State) Challenge(PasskeyPurpose purpose, Guid accountId)
    {
        var challenge = new PasskeyChallenge(RandomNumberGenerator.GetBytes(ChallengeBytes), purpose, accountId, time.GetUtcNow() + ChallengeTime);
        var state = secrets.Seal(JsonSerializer.SerializeToUtf8Bytes(challenge, PasskeyJson.Default.PasskeyChallenge), SealPlace);
        return (Base64UrlText.Encode(challenge.Value), Base64UrlText.Encode(state));
    }

    private PasskeyChallenge Open(string state, PasskeyPurpose purpose, Guid accountId)
    {
        try
        {
            if (state.Length <= PasskeyVerifier.MessageLength && Base64UrlText.TryDecode(state) is { } envelope &&
                JsonSerializer.Deserialize(secrets.Open(envelope, SealPlace), PasskeyJson.Default.PasskeyChallenge) is { } challenge &&
                challenge.Purpose == purpose && challenge.AccountId == accountId && challenge.ExpiresAt > time.GetUtcNow())
                return challenge;
        }
        catch (CryptographicException e)
        {
            throw new PasskeyException("the challenge is not one of ours", e);
        }

        throw new PasskeyException("the challenge is not for this, or has expired");
    }

    /// <summary>Takes a challenge out of use, at all controllers.</summary>
    private async Task UseAsync(PasskeyChallenge challenge, CancellationToken cancellationToken)
    {
        var key = UsedPrefix + Base64UrlText.Encode(challenge.Value);
        var lease = await _leases.GetAsync(ChallengeTime, cancellationToken);
        if (!(await store.CommitAsync(new StateTransaction().Expect(key, 0).Put(key, ReadOnlyMemory<byte>.Empty, lease), cancellationToken)).Succeeded)
            throw new PasskeyException("the challenge was used before");
    }
}
