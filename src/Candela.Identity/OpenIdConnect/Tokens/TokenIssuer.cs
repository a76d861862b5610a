using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.SignIn;

namespace Candela.Identity.OpenIdConnect.Tokens;

/// <summary>Makes access tokens (RFC 9068) and ID tokens (OpenID Connect Core, section 2).</summary>
internal sealed class TokenIssuer(ProviderKeys keys, AccountClaims accounts, IDirectory directory, SignInOptions signIn, OpenIdOptions options, TimeProvider time)
{
    /// <summary>Type of an access token, so that no other token can be taken for one (RFC 9068, section 2.1).</summary>
    public const string AccessTokenType = "at+jwt";

    /// <summary>Type of an ID token.</summary>
    public const string IdTokenType = "JWT";

    /// <summary>Type of a logout token.</summary>
    private const string LogoutTokenType = "logout+jwt";

    private const int IdBytes = 16;

    /// <summary>Section 2.4 recommends two minutes at most.</summary>
    private static readonly TimeSpan LogoutTokenLifetime = TimeSpan.FromMinutes(2);

    public string Issuer => signIn.Origin;

    /// <summary>When an access token for a client that is made now ends.</summary>
    public DateTimeOffset EndFor(OAuthClient? client) =>
        time.GetUtcNow() + (client?.AccessTokenSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : options.AccessTokenLifetime);

    /// <summary>How long something that ends then is still valid.</summary>
    public TimeSpan RemainingOf(DateTimeOffset end) => end - time.GetUtcNow();

    /// <summary>The token and its id (<c>jti</c>).</summary>
    public (string Token, string Id) Access(AccessTokenContent content)
    {
        var id = Base64UrlText.Encode(RandomNumberGenerator.GetBytes(IdBytes));
        var token = Sign(keys.Signing, AccessTokenType, writer =>
        {
            WriteCommon(writer, content.Subject, content.ExpiresAt);
            WriteOneOrMany(writer, "aud", content.Audiences);
            writer.WriteString("client_id", content.ClientId);
            writer.WriteString("jti", id);
            writer.WriteString("scope", string.Join(' ', content.Scopes));
            WriteSignIn(writer, content.AuthenticatedAt, content.Methods);
            if (Guid.TryParse(content.Subject, out var accountId) && directory.Current.Get(accountId) is { } account)
                accounts.Write(writer, account, [.. content.Scopes.Intersect([Scopes.Groups, Scopes.Roles])]);
            if (content.GrantId is not null)
                writer.WriteString("grant", content.GrantId);
            if (content.Container is not null)
                writer.WriteString("candela_container", content.Container);
            WriteObject(writer, "cnf", "x5t#S256", content.Thumbprint);
            WriteObject(writer, "act", "sub", content.Actor);
        });
        return (token, id);
    }

    /// <summary>Says to the client who has signed in.</summary>
    public string Identity(OAuthClient client, GrantDocument grant, DirectoryEntry account, string accessToken) => Sign(KeysOf(client), IdTokenType, writer =>
    {
        WriteCommon(writer, $"{account.Id}", time.GetUtcNow() + options.IdTokenLifetime);
        writer.WriteString("aud", client.Id);
        WriteSignIn(writer, grant.AuthenticatedAt, grant.Methods);
        if (grant.Nonce is not null)
            writer.WriteString("nonce", grant.Nonce);
        if (grant.SessionId is not null)
            writer.WriteString("sid", grant.SessionId);
        // Section 3.1.3.6: the left half.
        writer.WriteString("at_hash", Base64UrlText.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16)));
        accounts.Write(writer, account, [.. grant.Scopes]);
    });

    /// <summary>Tells a client that a session has ended (OpenID Connect Back-Channel Logout 1.0, section 2.4).</summary>
    /// <param name="client">Client.</param>
    /// <param name="accountId">Whose session.</param>
    /// <param name="sessionId">Session.</param>
    public string Logout(OAuthClient client, Guid accountId, string sessionId) => Sign(KeysOf(client), LogoutTokenType, writer =>
    {
        WriteCommon(writer, $"{accountId}", time.GetUtcNow() + LogoutTokenLifetime);
        writer.WriteString("aud", client.Id);
        writer.WriteString("jti", Base64UrlText.Encode(RandomNumberGenerator.GetBytes(IdBytes)));
        writer.WriteString("sid", sessionId);
        writer.WriteStartObject("events");
        writer.WriteStartObject("http://schemas.openid.net/event/backchannel-logout");
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    private static void WriteSignIn(Utf8JsonWriter writer, DateTimeOffset? at, IReadOnlyList<string> methods)
    {
        if (at is null)
            return;
        writer.WriteNumber("auth_time", at.Value.ToUnixTimeSeconds());
        AccountClaims.Write(writer, "amr", methods);
    }

    private static void WriteObject(Utf8JsonWriter writer, string name, string member, string? value)
    {
        if (value is null)
            return;
        writer.WriteStartObject(name);
        writer.WriteString(member, value);
        writer.WriteEndObject();
    }

    private static void WriteOneOrMany(Utf8JsonWriter writer, string name, IReadOnlyList<string> values)
    {
        if (values is [var one])
            writer.WriteString(name, one);
        else
            AccountClaims.Write(writer, name, values);
    }

    private void WriteCommon(Utf8JsonWriter writer, string subject, DateTimeOffset expiresAt)
    {
        writer.WriteString("iss", Issuer);
        writer.WriteString("sub", subject);
        writer.WriteNumber("iat", time.GetUtcNow().ToUnixTimeSeconds());
        writer.WriteNumber("exp", expiresAt.ToUnixTimeSeconds());
    }

    private JwtSigningKeys KeysOf(OAuthClient client) => client.IdTokenAlgorithm == keys.Rsa.Algorithm.Name ? keys.Rsa : keys.Signing;

    private static string Sign(JwtSigningKeys keys, string type, Action<Utf8JsonWriter> members)
    {
        var claims = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(claims))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return Jws.Sign(keys, type, claims.WrittenSpan);
    }
}
