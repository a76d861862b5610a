using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Controller.Api.Http;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.Authentication;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Model;
using Candela.Model.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Identity;

/// <summary>OAuth clients.</summary>
internal static class ClientEndpoints
{
    private static readonly Dictionary<ClientAuthentication, string> Methods = new()
    {
        [ClientAuthentication.None] = "none",
        [ClientAuthentication.Secret] = "secret",
        [ClientAuthentication.PrivateKeyJwt] = "private-key-jwt",
        [ClientAuthentication.Tls] = "tls",
        [ClientAuthentication.SelfSignedTls] = "self-signed-tls",
    };

    public static void Map(IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/clients").WithTags("Clients");
        all.MapGet("", ListAsync).Needs(ResourceKind.Client, Verb.List).Describe("listClients", "Lists the OAuth clients of a domain by name", ErrorCode.NotFound);
        all.MapPost("", CreateAsync).Needs(ResourceKind.Client, Verb.Create).Describe("createClient", "Registers an OAuth client; its secret is shown this once", ErrorCode.NotFound, ErrorCode.AlreadyExists);
        var one = all.MapGroup("/{name}");
        one.MapGet("", GetAsync).Needs(ResourceKind.Client, Verb.Get).Describe("getClient", "Shows a client", ErrorCode.NotFound);
        one.MapDelete("", DeleteAsync).Needs(ResourceKind.Client, Verb.Delete).Describe("deleteClient", "Removes a client; its tokens count no more", ErrorCode.NotFound);
        one.MapPost("/secret", RotateAsync).Needs(ResourceKind.Client, Verb.Reset).Describe("rotateClientSecret", "Gives a client another secret, which is shown this once", ErrorCode.NotFound, ErrorCode.Conflict);
    }

    private static async Task<Ok<ClientReport[]>> ListAsync(
        HttpContext http, ClientAdministration clients, IDirectory directory, CancellationToken cancellationToken, string? domain = null) =>
        TypedResults.Ok((await clients.ListAsync(http.Actor, domain ?? Domain.SystemName, cancellationToken)).Select(client => Of(client, directory)).ToArray());

    private static async Task<Created<ClientSecretReport>> CreateAsync(
        CreateClientRequest request, HttpContext http, ClientAdministration clients, IDirectory directory, CancellationToken cancellationToken, string? domain = null)
    {
        var (client, secret) = await clients.CreateAsync(
            http.Actor, request.Name, domain ?? Domain.SystemName, (id, domainId) => Client(request, id, domainId, clients, domain ?? Domain.SystemName), cancellationToken);
        return TypedResults.Created($"/v1/clients/{request.Name}", new ClientSecretReport { Client = Of(client, directory), Secret = secret });
    }

    private static async Task<Ok<ClientReport>> GetAsync(
        string name, HttpContext http, ClientAdministration clients, IDirectory directory, CancellationToken cancellationToken, string? domain = null) =>
        TypedResults.Ok(Of(await clients.GetAsync(http.Actor, name, domain ?? Domain.SystemName, cancellationToken), directory));

    private static async Task<NoContent> DeleteAsync(string name, HttpContext http, ClientAdministration clients, CancellationToken cancellationToken, string? domain = null)
    {
        await clients.DeleteAsync(http.Actor, name, domain ?? Domain.SystemName, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<ClientSecretReport>> RotateAsync(
        string name, RotateSecretRequest request, HttpContext http, ClientAdministration clients, IDirectory directory, CancellationToken cancellationToken, string? domain = null)
    {
        var (client, secret) = await clients.RotateSecretAsync(http.Actor, name, domain ?? Domain.SystemName, TimeSpan.FromSeconds(request.KeepSeconds), cancellationToken);
        return TypedResults.Ok(new ClientSecretReport { Client = Of(client, directory), Secret = secret });
    }

    private static OAuthClient Client(CreateClientRequest request, string id, Guid domainId, ClientAdministration clients, string domain) => new()
    {
        Id = id,
        DomainId = domainId,
        DisplayName = request.DisplayName,
        Authentication = Methods.FirstOrDefault(method => method.Value == request.Authentication) is { Value: not null } found
            ? found.Key
            : throw new CandelaException(ErrorCode.InvalidArgument, $"authentication is one of {string.Join(", ", Methods.Values)}, not '{request.Authentication}'"),
        Grants = request.Grants.Checked("grants") ?? [],
        RedirectUris = request.RedirectUris.Checked("redirectUris") ?? [],
        PostLogoutRedirectUris = request.PostLogoutRedirectUris.Checked("postLogoutRedirectUris") ?? [],
        Scopes = request.Scopes.Checked("scopes") ?? [],
        Audiences = request.Audiences.Checked("audiences") ?? [],
        Jwks = request.Jwks,
        TlsSubject = request.TlsSubject,
        TlsThumbprints = request.Certificate is { } pem ? [Thumbprint(pem)] : [],
        BoundTokens = request.BoundTokens,
        ServiceAccountId = request.ServiceAccount is { } name && LoginName.Parse(name, domain) is var login ? clients.FindServiceAccount(login.Name, login.Domain) : null,
        Trusted = request.Trusted,
        IdTokenAlgorithm = request.IdTokenAlgorithm,
        BackChannelLogoutUri = request.BackChannelLogoutUri,
    };

    private static string Thumbprint(string pem)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
            return Convert.ToBase64String(SHA256.HashData(certificate.RawData)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        }
        catch (CryptographicException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, "certificate is no certificate in PEM", e);
        }
    }

    private static ClientReport Of(OAuthClient client, IDirectory directory) => new()
    {
        Id = client.Id,
        DisplayName = client.DisplayName,
        Enabled = client.Enabled,
        Authentication = Methods[client.Authentication],
        Grants = client.Grants,
        RedirectUris = Some(client.RedirectUris),
        PostLogoutRedirectUris = Some(client.PostLogoutRedirectUris),
        Scopes = Some(client.Scopes),
        Audiences = Some(client.Audiences),
        Jwks = client.Jwks,
        TlsSubject = client.TlsSubject,
        BoundTokens = client.BoundTokens,
        ServiceAccount = client.ServiceAccountId is { } id && directory.Current.Get(id) is { } account ? $"{account.Name}@{directory.Current.GetDomain(account.DomainId)?.Name}" : null,
        Trusted = client.Trusted,
        IdTokenAlgorithm = client.IdTokenAlgorithm,
        BackChannelLogoutUri = client.BackChannelLogoutUri,
        SecretCount = client.Secrets.Count,
        CreatedAt = client.CreatedAt,
        ModifiedAt = client.ModifiedAt,
    };

    private static IReadOnlyList<string>? Some(IReadOnlyList<string> values) => values.Count > 0 ? values : null;
}
