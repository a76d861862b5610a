using System.Text.Json;
using Candela.Identity.Accounts;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.OpenIdConnect.Tokens;
using Candela.Identity.SignIn.Pages;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Candela.Identity.OpenIdConnect.Endpoints;

/// <summary>The token endpoint (OAuth 2.1, section 3.2).</summary>
internal sealed class TokenEndpoint(
    OAuthEndpoint endpoint, TokenIssuer issuer, Codes codes, Refreshing refreshing, DeviceGrants devices, TokenExchange exchange, IDirectory directory)
{
    public const string Path = "/oauth2/token";

    /// <summary>POST /oauth2/token</summary>
    public async Task PostAsync(HttpContext context)
    {
        // A workload's own token says who it is: nobody has to register it.
        if (context.Request.HasFormContentType && !context.Request.Headers.ContainsKey("Authorization") && await Forms.ReadAsync(context) is { } form && TokenExchange.IsWorkload(form))
            await exchange.ExchangeWorkloadAsync(context);
        else
            await endpoint.RunAsync(context, "oauth.token", (client, fields) => GrantAsync(context, client, fields));
    }

    private async Task<string> GrantAsync(HttpContext context, OAuthClient client, IFormCollection form)
    {
        var type = form.Text("grant_type");
        if (!GrantTypes.All.Contains(type))
            throw new OAuthException(type.Length == 0 ? "invalid_request" : "unsupported_grant_type", $"grant_type must be one of {string.Join(", ", GrantTypes.All)}");
        if (!client.Grants.Contains(type))
            throw new OAuthException("unauthorized_client", "the client may not use this grant_type");
        var binding = ClientAuthenticator.BindingOf(client, context);
        return type switch
        {
            GrantTypes.ClientCredentials => await ForItselfAsync(context, client, form, binding),
            GrantTypes.AuthorizationCode => await ForAccountAsync(
                context, client, form, binding, await codes.RedeemAsync(form.Text("code"), client, form.ContainsKey("redirect_uri") ? form.Text("redirect_uri") : null, form.Text("code_verifier"), context.RequestAborted)),
            GrantTypes.RefreshToken => await ForAccountAsync(context, client, form, binding, await refreshing.RedeemAsync(form.Text("refresh_token"), client, context.RequestAborted)),
            GrantTypes.DeviceCode => await ForAccountAsync(context, client, form, binding, await devices.RedeemAsync(form.Text("device_code"), client, context.RequestAborted)),
            _ => await exchange.ExchangeAsync(context, client, form, binding),
        };
    }

    private async Task<string> ForItselfAsync(HttpContext context, OAuthClient client, IFormCollection form, string? binding)
    {
        var current = directory.Current;
        if (client.ServiceAccountId is { } id && !(current.Get(id) is ServiceAccount { Enabled: true } account && current.GetDomain(account.DomainId) is { Enabled: true }))
            throw new OAuthException("unauthorized_client", "the client's service account is gone or disabled");
        var asked = form.ContainsKey("scope") ? AuthorizationRequest.ScopesOf(client, form.Text("scope")) : client.Scopes;
        // What is about a person, or about being away, is not for a program alone.
        string[] scopes = [.. asked.Except([Scopes.OpenId, Scopes.Profile, Scopes.Email, Scopes.OfflineAccess])];
        return await AnswerAsync(
            context,
            new AccessTokenContent
            {
                Subject = client.ServiceAccountId is { } accountId ? $"{accountId}" : client.Id,
                ClientId = client.Id,
                Audiences = WithDefault(AuthorizationRequest.AudiencesOf(client, Resource(form))),
                Scopes = scopes,
                ExpiresAt = issuer.EndFor(client),
                Thumbprint = binding,
            });
    }

    private async Task<string> ForAccountAsync(
        HttpContext context, OAuthClient client, IFormCollection form, string? binding, (string Id, GrantDocument Grant, DirectoryEntry Account) found)
    {
        var (id, grant, account) = found;
        var scopes = form.ContainsKey("scope") && form.Text("grant_type") == GrantTypes.RefreshToken ? Narrowed(grant, form.Text("scope")) : grant.Scopes;
        var audiences = form.ContainsKey("resource") ? AuthorizationRequest.AudiencesOf(client, Resource(form)) : grant.Audiences;
        if (!audiences.All(grant.Audiences.Contains))
            throw OAuthException.InvalidTarget("the user has not allowed tokens for this resource");
        var end = issuer.EndFor(client);
        var content = new AccessTokenContent
        {
            Subject = $"{account.Id}",
            ClientId = client.Id,
            Audiences = WithDefault(audiences),
            Scopes = scopes,
            ExpiresAt = end < grant.ExpiresAt ? end : grant.ExpiresAt,
            GrantId = id,
            AuthenticatedAt = grant.AuthenticatedAt,
            Methods = grant.Methods,
            Thumbprint = binding,
        };
        var refresh = grant.IsOffline ? await refreshing.TokenAsync(id, grant, context.RequestAborted) : null;
        return await AnswerAsync(context, content, (writer, access) =>
        {
            if (refresh is not null)
                writer.WriteString("refresh_token", refresh);
            if (grant.Scopes.Contains(Scopes.OpenId))
                writer.WriteString("id_token", issuer.Identity(client, grant, account, access));
        });
    }

    private async Task<string> AnswerAsync(HttpContext context, AccessTokenContent content, Action<Utf8JsonWriter, string>? more = null)
    {
        var (token, id) = issuer.Access(content);
        await OAuthEndpoint.WriteAsync(context, writer =>
        {
            writer.WriteString("access_token", token);
            writer.WriteString("token_type", "Bearer");
            writer.WriteNumber("expires_in", (long)issuer.RemainingOf(content.ExpiresAt).TotalSeconds);
            writer.WriteString("scope", string.Join(' ', content.Scopes));
            more?.Invoke(writer, token);
        });
        return $"{content.Subject} {id}";
    }

    private IReadOnlyList<string> WithDefault(IReadOnlyList<string> audiences) => audiences.Count > 0 ? audiences : [issuer.Issuer];

    private static string[] Narrowed(GrantDocument grant, string text)
    {
        string[] scopes = [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct()];
        return scopes.All(grant.Scopes.Contains) ? scopes : throw OAuthException.InvalidScope("the user has not allowed these scopes");
    }

    private static StringValues Resource(IFormCollection form) => form.TryGetValue("resource", out var resource) ? resource : [];
}
