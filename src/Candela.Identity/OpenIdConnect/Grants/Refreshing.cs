using Candela.Identity.Accounts;
using Candela.Identity.OpenIdConnect.Clients;

namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>Renews access by refresh tokens, each of which is good once (OAuth 2.1, section 4.3).</summary>
internal sealed class Refreshing(GrantStore grants, RefreshTokens tokens, OpenIdOptions options, TimeProvider time)
{
    /// <summary>The grant, moved on to the next refresh token.</summary>
    /// <exception cref="OAuthException">invalid_grant. When a former token is shown, the grant is revoked: either its owner's or a thief's is a copy.</exception>
    public async Task<(string Id, GrantDocument Grant, DirectoryEntry Account)> RedeemAsync(string token, OAuthClient client, CancellationToken cancellationToken)
    {
        if (await tokens.ReadAsync(token, cancellationToken) is not var (id, sequence) || await grants.FindAliveAsync(id, cancellationToken) is not var (grant, account, revision) || grant.ClientId != client.Id)
            throw OAuthException.InvalidGrant("the refresh token is unknown, expired, revoked, or of another client");
        var now = time.GetUtcNow();
        var end = grant.CreatedAt + options.RefreshLifetime;
        var moved = grant with { Sequence = sequence + 1, ExpiresAt = now + options.RefreshIdleTime is var idle && idle < end ? idle : end };
        if (sequence == grant.Sequence && await grants.TryReplaceAsync(id, moved, revision, cancellationToken))
            return (id, moved, account);
        await grants.RevokeAsync(id, cancellationToken);
        throw OAuthException.InvalidGrant("the refresh token was used before: all tokens of this sign-in are revoked");
    }

    /// <summary>The present refresh token of a grant.</summary>
    public ValueTask<string> TokenAsync(string grantId, GrantDocument grant, CancellationToken cancellationToken) => tokens.MakeAsync(grantId, grant.Sequence, cancellationToken);
}
