using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.Storage;
using Candela.State;

namespace Candela.Identity.OpenIdConnect.Grants;

/// <summary>Redeems authorization codes (OAuth 2.1, section 4.1.3).</summary>
internal sealed class Codes(IStateStore store, GrantStore grants, ExpiryLeases leases, TimeProvider time)
{
    /// <summary>How long it is known that a code was redeemed.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromHours(1);

    /// <summary>The grant that a code stands for.</summary>
    /// <param name="code">Code.</param>
    /// <param name="client">Client that shows it.</param>
    /// <param name="redirectUri">Address that it was asked for with; null: not said.</param>
    /// <param name="verifier">PKCE verifier.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="OAuthException">invalid_grant. When the code was redeemed before, what it was redeemed for is revoked.</exception>
    public async Task<(string Id, GrantDocument Grant, DirectoryEntry Account)> RedeemAsync(
        string code, OAuthClient client, string? redirectUri, string verifier, CancellationToken cancellationToken)
    {
        var key = OpenIdKeys.Code(Digest.Of(code));
        if (code.Length > 128 || await store.GetAsync(key, cancellationToken) is not { } entry)
            throw Unknown();
        var document = JsonSerializer.Deserialize(entry.Value.Span, OpenIdJson.Default.CodeDocument)!;
        if (document.RedeemedFor is { } former)
            throw await ReplayedAsync(former, cancellationToken);
        // Of another client: whoever has stolen it must not be able to spoil it for its owner, nor to use it.
        if (document.Grant.ClientId != client.Id || document.ExpiresAt <= time.GetUtcNow())
            throw Unknown();
        if (document.RedirectUri != redirectUri || !IsVerifier(verifier, document.Challenge))
        {
            await store.CommitAsync(new StateTransaction().Expect(key, entry.Revision).Delete(key), cancellationToken);
            throw OAuthException.InvalidGrant("redirect_uri or code_verifier is not the one of the authorization request");
        }

        if (await grants.FindAccountAsync(document.Grant, cancellationToken) is not { } account)
            throw OAuthException.InvalidGrant("the sign-in has ended");
        var transaction = new StateTransaction().Expect(key, entry.Revision);
        var id = GrantStore.Add(transaction, document.Grant);
        var redeemed = JsonSerializer.SerializeToUtf8Bytes(document with { RedeemedFor = id }, OpenIdJson.Default.CodeDocument);
        transaction.Put(key, redeemed, await leases.GetAsync(Retention, cancellationToken));
        if ((await store.CommitAsync(transaction, cancellationToken)).Succeeded)
            return (id, document.Grant, account);
        // Somebody else has just redeemed it: one of the two is a thief.
        if (await store.GetAsync(key, cancellationToken) is { } now && JsonSerializer.Deserialize(now.Value.Span, OpenIdJson.Default.CodeDocument) is { RedeemedFor: { } other })
            throw await ReplayedAsync(other, cancellationToken);
        throw Unknown();
    }

    private async Task<OAuthException> ReplayedAsync(string grantId, CancellationToken cancellationToken)
    {
        await grants.RevokeAsync(grantId, cancellationToken);
        return OAuthException.InvalidGrant("the code was used before: all tokens of this sign-in are revoked");
    }

    private static bool IsVerifier(string verifier, string challenge) =>
        verifier.Length is >= 43 and <= 128 &&
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Base64UrlText.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(verifier)))), Encoding.ASCII.GetBytes(challenge));

    private static OAuthException Unknown() => OAuthException.InvalidGrant("the code is unknown, expired, or of another client");
}
