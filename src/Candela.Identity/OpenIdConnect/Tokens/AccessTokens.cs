using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.Workloads;
using Candela.Model;
using Candela.State;

namespace Candela.Identity.OpenIdConnect.Tokens;

/// <summary>Validates access tokens (RFC 9068, section 4), against what is in the state store, too.</summary>
internal sealed class AccessTokens(OwnTokens tokens, ClientStore clients, GrantStore grants, ProviderTrust trust, IDirectory directory, IStateStore store) : IAccessTokens
{
    /// <inheritdoc/>
    public async Task<AccessToken> ValidateAsync(string token, string? audience, X509Certificate2? certificate, CancellationToken cancellationToken)
    {
        try
        {
            var read = Read(token);
            if (audience is not null && !read.Audiences.Contains(audience))
                throw new JoseException("it is for another audience");
            if (read.Claims.TryGetProperty("cnf", out var confirmation) && (certificate is null || confirmation.Text("x5t#S256") != ThumbprintOf(certificate)))
                throw new JoseException("it is bound to a TLS certificate that was not shown");
            return await CheckAsync(read, cancellationToken);
        }
        catch (JoseException e)
        {
            throw new CandelaException(ErrorCode.Unauthenticated, $"the access token is refused: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public async Task RecheckAsync(AccessToken token, CancellationToken cancellationToken)
    {
        try
        {
            _ = await CheckAsync(token, cancellationToken);
        }
        catch (JoseException e)
        {
            throw new CandelaException(ErrorCode.Unauthenticated, $"the access token no longer counts: {e.Message}", e);
        }
    }

    /// <summary>Makes sure that a token still counts.</summary>
    /// <exception cref="JoseException">It does not; the message says why.</exception>
    public async Task<AccessToken> CheckAsync(AccessToken read, CancellationToken cancellationToken)
    {
        if (await store.GetAsync(OpenIdKeys.Revoked(read.Id), cancellationToken) is not null)
            throw new JoseException("it was revoked");
        if (SpiffeId.TryParse(read.Subject, out var workload))
            return await WithWorkloadAsync(read, workload, cancellationToken);
        if (await clients.FindEnabledAsync(read.ClientId, cancellationToken) is null)
            throw new JoseException("its client is gone or disabled");
        if (read.GrantId is not null && await grants.FindAliveAsync(read.GrantId, cancellationToken) is null)
            throw new JoseException("it was revoked, or its session has ended");
        return Guid.TryParseExact(read.Subject, "D", out var id) ? read with { Account = AccountOf(id) } : read;
    }

    /// <summary>Reads a token that was signed here and is in time.</summary>
    /// <exception cref="JoseException">It is none; the message says why.</exception>
    public AccessToken Read(string token)
    {
        var claims = tokens.Read(token, TokenIssuer.AccessTokenType);
        return new AccessToken
        {
            Id = Text(claims, "jti"),
            Subject = Text(claims, "sub"),
            ClientId = Text(claims, "client_id"),
            Audiences = Texts(claims, "aud"),
            Scopes = Text(claims, "scope").Split(' ', StringSplitOptions.RemoveEmptyEntries),
            ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(claims.GetProperty("exp").GetInt64()),
            GrantId = claims.Text("grant"),
            Claims = claims,
        };
    }

    /// <summary>Thumbprint by which a token is bound to a certificate.</summary>
    public static string ThumbprintOf(X509Certificate2 certificate) => Base64UrlText.Encode(SHA256.HashData(certificate.RawData));

    private async Task<AccessToken> WithWorkloadAsync(AccessToken read, SpiffeId workload, CancellationToken cancellationToken)
    {
        if (read.Claims.Text("candela_container") is not { Length: > 0 and <= 128 } container || trust.Host is not { } host ||
            await host.Workloads.ReadAsync(container, cancellationToken) is not var (document, _) || document.Id != read.Subject)
            throw new JoseException("its container has ended, and its identity with it");
        return read with { Workload = workload };
    }

    private DirectoryEntry AccountOf(Guid id)
    {
        var current = directory.Current;
        return current.Get(id) is { Enabled: true, Kind: not EntryKind.Group } account && current.GetDomain(account.DomainId) is { Enabled: true }
            ? account
            : throw new JoseException("its account is gone or disabled");
    }

    private static string Text(JsonElement claims, string name) => claims.Text(name) ?? throw new JoseException($"it has no {name}");

    private static IReadOnlyList<string> Texts(JsonElement claims, string name) => !claims.TryGetProperty(name, out var value) ? []
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : [.. value.EnumerateArray().Select(item => item.GetString()!)];
}
