using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.SignIn;
using Candela.Identity.Storage;
using Candela.State;

namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>Devices that wait until their user has signed in elsewhere (RFC 8628).</summary>
internal sealed class DeviceGrants(IStateStore store, GrantStore grants, ExpiryLeases leases, SignInOptions signIn, OpenIdOptions options, TimeProvider time)
{
    /// <summary>How much longer a device waits that asks too often (section 3.5).</summary>
    private const int SlowDownSeconds = 5;

    private const int AttemptCount = 8;

    /// <summary>A device begins to wait.</summary>
    public async Task<(string DeviceCode, DeviceDocument Document)> BeginAsync(
        OAuthClient client, IReadOnlyList<string> scopes, IReadOnlyList<string> audiences, CancellationToken cancellationToken)
    {
        var lease = await leases.GetAsync(options.DeviceLifetime, cancellationToken);
        for (var attempt = 0; attempt < AttemptCount; attempt++)
        {
            var code = Digest.NewValue();
            var digest = Digest.Of(code);
            var document = new DeviceDocument
            {
                ClientId = client.Id,
                UserCode = UserCodes.New(),
                Scopes = scopes,
                Audiences = audiences,
                ExpiresAt = time.GetUtcNow() + options.DeviceLifetime,
                IntervalSeconds = (int)options.DeviceInterval.TotalSeconds,
            };
            // A user code that somebody else waits with is not given out again.
            var transaction = new StateTransaction()
                .Expect(OpenIdKeys.UserCode(document.UserCode), 0)
                .Put(OpenIdKeys.UserCode(document.UserCode), Encoding.UTF8.GetBytes(digest), lease)
                .Put(OpenIdKeys.Device(digest), Write(document), lease);
            if ((await store.CommitAsync(transaction, cancellationToken)).Succeeded)
                return (code, document);
        }

        throw new OAuthException("temporarily_unavailable", "too many devices wait: try again in a few minutes", 503);
    }

    /// <summary>The device that waits with a user code; null: none does.</summary>
    public async Task<DeviceDocument?> FindAsync(string userCode, CancellationToken cancellationToken) =>
        await FindEntryAsync(userCode, cancellationToken) is var (_, document, _) ? document : null;

    /// <summary>Takes a user's answer; false: the device no longer waits.</summary>
    public async Task<bool> AnswerAsync(string userCode, SignInSession session, bool allowed, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < AttemptCount; attempt++)
        {
            if (await FindEntryAsync(userCode, cancellationToken) is not var (key, document, revision))
                return false;
            var now = time.GetUtcNow();
            var isOffline = document.Scopes.Contains(Scopes.OfflineAccess);
            var answered = document with
            {
                State = allowed ? DeviceState.Allowed : DeviceState.Denied,
                Grant = !allowed ? null : new GrantDocument
                {
                    ClientId = document.ClientId,
                    AccountId = session.Account.Id,
                    Scopes = document.Scopes,
                    Audiences = document.Audiences,
                    AuthenticatedAt = session.SignedInAt,
                    Methods = session.Methods,
                    // The device is not the browser: it stays when that signs out.
                    IsOffline = isOffline,
                    CreatedAt = now,
                    ExpiresAt = now + (isOffline ? options.RefreshIdleTime : signIn.Lifetime),
                },
            };
            var transaction = new StateTransaction()
                .Expect(key, revision)
                .Put(key, Write(answered), await leases.GetAsync(options.DeviceLifetime, cancellationToken))
                .Delete(OpenIdKeys.UserCode(userCode));
            if ((await store.CommitAsync(transaction, cancellationToken)).Succeeded)
                return true;
        }

        return false;
    }

    /// <summary>What came of it.</summary>
    /// <exception cref="OAuthException">authorization_pending, slow_down, access_denied, expired_token (section 3.5); invalid_grant.</exception>
    public async Task<(string Id, GrantDocument Grant, DirectoryEntry Account)> RedeemAsync(string deviceCode, OAuthClient client, CancellationToken cancellationToken)
    {
        var key = OpenIdKeys.Device(Digest.Of(deviceCode));
        if (deviceCode.Length > 128 || await store.GetAsync(key, cancellationToken) is not { } entry || Read(entry) is not { } document || document.ClientId != client.Id)
            throw OAuthException.InvalidGrant("the device code is unknown, used, or of another client");
        var now = time.GetUtcNow();
        if (document.ExpiresAt <= now)
            throw new OAuthException("expired_token", "nobody has answered in time: begin again");
        if (document.State == DeviceState.Denied)
            throw new OAuthException("access_denied", "the user has refused");
        if (document is not { State: DeviceState.Allowed, Grant: { } grant })
        {
            var isEarly = document.AskedAt is { } asked && now - asked < TimeSpan.FromSeconds(document.IntervalSeconds);
            var seen = document with { AskedAt = now, IntervalSeconds = document.IntervalSeconds + (isEarly ? SlowDownSeconds : 0) };
            // If the user has answered meanwhile, that counts, and the device hears of it next time.
            await store.CommitAsync(
                new StateTransaction().Expect(key, entry.Revision).Put(key, Write(seen), await leases.GetAsync(options.DeviceLifetime, cancellationToken)), cancellationToken);
            throw isEarly
                ? new OAuthException("slow_down", $"ask every {seen.IntervalSeconds} seconds")
                : new OAuthException("authorization_pending", "the user has not answered yet");
        }

        if (await grants.FindAccountAsync(grant, cancellationToken) is not { } account)
            throw new OAuthException("access_denied", "the account can no longer sign in");
        var transaction = new StateTransaction().Expect(key, entry.Revision).Delete(key);
        var id = GrantStore.Add(transaction, grant);
        return (await store.CommitAsync(transaction, cancellationToken)).Succeeded
            ? (id, grant, account)
            : throw OAuthException.InvalidGrant("the device code was used before");
    }

    private async Task<(string Key, DeviceDocument Document, long Revision)?> FindEntryAsync(string userCode, CancellationToken cancellationToken)
    {
        if (await store.GetAsync(OpenIdKeys.UserCode(userCode), cancellationToken) is not { } named)
            return null;
        var key = OpenIdKeys.Device(Encoding.UTF8.GetString(named.Value.Span));
        return await store.GetAsync(key, cancellationToken) is { } entry && Read(entry) is { State: DeviceState.Pending } document && document.ExpiresAt > time.GetUtcNow()
            ? (key, document, entry.Revision)
            : null;
    }

    private static DeviceDocument? Read(StateEntry entry) => JsonSerializer.Deserialize(entry.Value.Span, OpenIdJson.Default.DeviceDocument);

    private static byte[] Write(DeviceDocument document) => JsonSerializer.SerializeToUtf8Bytes(document, OpenIdJson.Default.DeviceDocument);
}
