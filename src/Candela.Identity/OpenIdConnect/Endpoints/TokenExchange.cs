using Candela.Identity.Administration;
using Candela.Identity.Jose;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn.Pages;
using Candela.Identity.Workloads.Jwt;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>Exchanges a token for another (RFC 8693): an access token for one of another audience, a workload's JWT-SVID for an access token.</summary>
internal sealed class TokenExchange(OAuthEndpoint endpoint, AccessTokens tokens, TokenIssuer issuer, ProviderTrust trust)
{
    private const string AccessTokenType = "urn:ietf:params:oauth:token-type:access_token";
    private const string JwtType = "urn:ietf:params:oauth:token-type:jwt";

    /// <summary>Somebody wants an access token for a JWT-SVID, without being a client.</summary>
    public static bool IsWorkload(IFormCollection form) =>
        form.Text("grant_type") == GrantTypes.TokenExchange && form.Text("subject_token_type") == JwtType && !form.ContainsKey("client_id") && !form.ContainsKey("client_assertion");

    /// <summary>An access token for the REST API, to a workload that shows a JWT-SVID made for this provider.</summary>
    public Task ExchangeWorkloadAsync(HttpContext context)
    {
        var name = "";
        return endpoint.RunAsync(context, "oauth.exchange", () => Actor.Unproven(name, OAuthEndpoint.FromOf(context)), async form =>
        {
            CheckTypes(form);
            var audience = BuiltInClients.ApiAudience(issuer.Issuer);
            if (form.ContainsKey("resource") && form.Text("resource") != audience)
                throw OAuthException.InvalidTarget($"a workload that is no client can have tokens for {audience} only");
            if (trust.Host is not { } host)
                throw OAuthException.InvalidRequest("there are no workload identities here");
            try
            {
                var (id, claims) = await host.Domain.ValidateJwtAsync(form.Text("subject_token"), issuer.Issuer, context.RequestAborted);
                name = id.ToString();
                // Of this trust domain only: what other domains' workloads may do here, no binding can say.
                if (id.TrustDomain != host.Domain.Name || claims.Text(JwtSvidIssuer.ContainerClaim) is not { } container)
                    throw OAuthException.InvalidRequest("the workload is not one of this installation");
                return await AnswerAsync(context, new AccessTokenContent
                {
                    Subject = name, ClientId = name, Audiences = [audience], Scopes = [], ExpiresAt = issuer.EndFor(client: null), Container = container,
                });
            }
            catch (CandelaException e) when (e.Code == ErrorCode.Unauthenticated)
            {
                throw OAuthException.InvalidRequest(e.Message);
            }
        });
    }

    /// <summary>An access token for another audience, to a client that has got one for itself.</summary>
    public async Task<string> ExchangeAsync(HttpContext context, OAuthClient client, IFormCollection form, string? binding)
    {
        CheckTypes(form);
        if (form.Text("subject_token_type") != AccessTokenType)
            throw OAuthException.InvalidRequest($"subject_token_type must be {AccessTokenType}");
        AccessToken subject;
        try
        {
            subject = await tokens.CheckAsync(tokens.Read(form.Text("subject_token")), context.RequestAborted);
        }
        catch (JoseException e)
        {
            throw OAuthException.InvalidRequest($"the subject token is refused: {e.Message}");
        }

        // Bound to somebody else's certificate: whoever shows it here has taken it from its owner.
        if (subject.Claims.TryGetProperty("cnf", out var confirmation) &&
            (context.Connection.ClientCertificate is not { } certificate || confirmation.Text("x5t#S256") != AccessTokens.ThumbprintOf(certificate)))
            throw OAuthException.InvalidRequest("the subject token is bound to a TLS certificate that was not shown");
        if (subject.ClientId != client.Id && !subject.Audiences.Any(client.Audiences.Contains))
            throw OAuthException.InvalidRequest("the subject token was given neither to this client nor for it");
        var asked = form.Text("scope").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (!asked.All(subject.Scopes.Contains) || !asked.All(client.Scopes.Contains))
            throw OAuthException.InvalidScope("neither more than the subject token has nor more than the client may have can be asked for");
        string[] scopes = asked.Length > 0 ? asked : [.. subject.Scopes.Intersect(client.Scopes)];
        var audiences = AuthorizationRequest.AudiencesOf(client, form.TryGetValue("resource", out var resource) ? resource : StringValues.Empty);
        if (audiences.Count == 0)
            throw OAuthException.InvalidTarget("the client has no audience that it may have tokens for");
        var end = issuer.EndFor(client);
        return await AnswerAsync(context, new AccessTokenContent
        {
            Subject = subject.Subject,
            ClientId = client.Id,
            Audiences = audiences,
            Scopes = scopes,
            ExpiresAt = end < subject.ExpiresAt ? end : subject.ExpiresAt,
            GrantId = subject.GrantId,
            Container = subject.Claims.Text("candela_container"),
            Thumbprint = binding,
            Actor = client.Id,
        });
    }

    private static void CheckTypes(IFormCollection form)
    {
        if (form.ContainsKey("requested_token_type") && form.Text("requested_token_type") is not (AccessTokenType or JwtType))
            throw OAuthException.InvalidRequest($"requested_token_type can be {AccessTokenType} only");
        if (form.ContainsKey("actor_token"))
            throw OAuthException.InvalidRequest("actor tokens are not supported: the client itself is the actor");
        if (!form.ContainsKey("subject_token"))
            throw OAuthException.InvalidRequest("subject_token is missing");
        if (form.ContainsKey("audience"))
            throw OAuthException.InvalidTarget("say for whom by resource (RFC 8707), not by audience");
    }

    private async Task<string> AnswerAsync(HttpContext context, AccessTokenContent content)
    {
        var (token, id) = issuer.Access(content);
        await OAuthEndpoint.WriteAsync(context, writer =>
        {
            writer.WriteString("access_token", token);
            writer.WriteString("issued_token_type", AccessTokenType);
            writer.WriteString("token_type", "Bearer");
            writer.WriteNumber("expires_in", (long)issuer.RemainingOf(content.ExpiresAt).TotalSeconds);
            writer.WriteString("scope", string.Join(' ', content.Scopes));
        });
        return $"{content.Subject} {id}";
    }
}
