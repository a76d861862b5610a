using System.Security.Cryptography;
using Candela.Controller.Api.Http;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Identity.Federation;
using Candela.Model;
using Candela.Model.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Candela.Controller.Api.Identity;

/// <summary>Identity providers elsewhere, by which accounts sign in here, and who is who.</summary>
internal static class IdentityProviderEndpoints
{
    private const int LdapPort = 389;
    private const int LdapsPort = 636;

    private static readonly string[] DefaultScopes = ["openid", "profile", "email"];

    public static void Map(IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/identity-providers").WithTags("Identity providers");
        all.MapGet("", ListAsync).Needs(ResourceKind.Domain, Verb.Get).Describe("listIdentityProviders", "Lists the identity providers by which accounts of a domain sign in", ErrorCode.NotFound);
        all.MapPost("", CreateAsync).Needs(ResourceKind.Domain, Verb.Update).Describe("createIdentityProvider", "Registers an OpenID provider or an LDAP directory by which accounts of a domain sign in", ErrorCode.NotFound, ErrorCode.AlreadyExists);
        var one = all.MapGroup("/{name}");
        one.MapGet("", GetAsync).Needs(ResourceKind.Domain, Verb.Get).Describe("getIdentityProvider", "Shows an identity provider", ErrorCode.NotFound);
        one.MapPatch("", UpdateAsync).Needs(ResourceKind.Domain, Verb.Update).Describe("updateIdentityProvider", "Changes an identity provider", ErrorCode.NotFound, ErrorCode.Conflict);
        one.MapDelete("", DeleteAsync).Needs(ResourceKind.Domain, Verb.Update).Describe("deleteIdentityProvider", "Removes an identity provider with its links: nobody signs in by it any more", ErrorCode.NotFound, ErrorCode.Conflict);
        var links = one.MapGroup("/links");
        links.MapGet("", ListLinksAsync).Needs(ResourceKind.Domain, Verb.Get).Describe("listIdentityLinks", "Lists who there is which account here", ErrorCode.NotFound);
        links.MapPost("", LinkAsync).Needs(ResourceKind.Domain, Verb.Update).Describe("createIdentityLink", "Says who there is which user here", ErrorCode.NotFound, ErrorCode.Conflict);
        links.MapDelete("", UnlinkAsync).Needs(ResourceKind.Domain, Verb.Update).Describe("deleteIdentityLink", "Removes the link of a subject", ErrorCode.NotFound);
    }

    private static async Task<Ok<IdentityProviderReport[]>> ListAsync(HttpContext http, FederationAdministration federation, IDirectory directory, CancellationToken cancellationToken, string? domain = null) =>
        TypedResults.Ok((await federation.ListAsync(http.Actor, domain ?? Domain.SystemName, cancellationToken)).Select(p => Report(p, directory)).ToArray());

    private static async Task<Created<IdentityProviderReport>> CreateAsync(
        IdentityProviderRequest request, HttpContext http, FederationAdministration federation, IDirectory directory, CancellationToken cancellationToken, string? domain = null)
    {
        var made = await federation.CreateAsync(
            http.Actor, domain ?? Domain.SystemName, Required(request.Name, "name"), draft => Change(draft, request, directory), request.Secret, cancellationToken);
        return TypedResults.Created($"/v1/identity-providers/{made.Name}", Report(made, directory));
    }

    private static async Task<Ok<IdentityProviderReport>> GetAsync(string name, HttpContext http, FederationAdministration federation, IDirectory directory, CancellationToken cancellationToken) =>
        TypedResults.Ok(Report(await federation.GetAsync(http.Actor, name, cancellationToken), directory));

    private static async Task<Ok<IdentityProviderReport>> UpdateAsync(
        string name, IdentityProviderRequest request, HttpContext http, FederationAdministration federation, IDirectory directory, CancellationToken cancellationToken)
    {
        if (request.Name is not null)
            throw new CandelaException(ErrorCode.InvalidArgument, "an identity provider's name stays: leave it out");
        return TypedResults.Ok(Report(
            await federation.UpdateAsync(http.Actor, name, draft => Change(draft, request, directory), request.Secret, request.Revision, cancellationToken), directory));
    }

    private static async Task<NoContent> DeleteAsync(string name, HttpContext http, FederationAdministration federation, CancellationToken cancellationToken)
    {
        await federation.DeleteAsync(http.Actor, name, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<IdentityLinkReport[]>> ListLinksAsync(string name, HttpContext http, FederationAdministration federation, CancellationToken cancellationToken) =>
        TypedResults.Ok((await federation.ListLinksAsync(http.Actor, name, cancellationToken)).Select(Report).ToArray());

    private static async Task<Ok<IdentityLinkReport>> LinkAsync(string name, IdentityLinkRequest request, HttpContext http, FederationAdministration federation, CancellationToken cancellationToken) =>
        TypedResults.Ok(Report(await federation.LinkAsync(http.Actor, name, Required(request.User, "user"), Required(request.Subject, "subject"), cancellationToken)));

    private static async Task<NoContent> UnlinkAsync(string name, string subject, HttpContext http, FederationAdministration federation, CancellationToken cancellationToken)
    {
        await federation.UnlinkAsync(http.Actor, name, subject, cancellationToken);
        return TypedResults.NoContent();
    }

    private static string Required(string? value, string member) => value ?? throw new CandelaException(ErrorCode.InvalidArgument, $"{member} is missing");

    private static IdentityProvider Change(IdentityProvider provider, IdentityProviderRequest request, IDirectory directory) => provider with
    {
        DisplayName = request.DisplayName is { } shown ? shown.Length > 0 ? shown : null : provider.DisplayName,
        OpenId = OpenId(provider.OpenId, request),
        Ldap = Ldap(provider.Ldap, request),
        Authorities = request.Authorities.Checked("authorities") is { } authorities ? [.. authorities.SelectMany(Certificates)] : provider.Authorities,
        CreateAccounts = request.CreateAccounts ?? provider.CreateAccounts,
        Listed = request.Listed ?? provider.Listed,
        RequiredGroups = request.RequiredGroups.Checked("requiredGroups") ?? provider.RequiredGroups,
        Groups = request.Groups.Checked("groups") is { } groups ? groups.ToDictionary(pair => pair.Key, pair => Group(pair.Value, provider.DomainId, directory)) : provider.Groups,
        Attributes = request.Attributes.Checked("attributes") ?? provider.Attributes,
        Enabled = request.Enabled ?? provider.Enabled,
    };

    private static OpenIdUpstream? OpenId(OpenIdUpstream? present, IdentityProviderRequest request)
    {
        if ((request.Issuer ?? request.ClientId ?? request.Authentication ?? (object?)request.Scopes) is null)
            return present;
        return new OpenIdUpstream(
            request.Issuer ?? present?.Issuer ?? throw Missing("issuer"),
            request.ClientId ?? present?.ClientId ?? throw Missing("clientId"),
            request.Authentication switch
            {
                null => present?.Authentication ?? UpstreamClientAuthentication.SecretBasic,
                "client_secret_basic" => UpstreamClientAuthentication.SecretBasic,
                "client_secret_post" => UpstreamClientAuthentication.SecretPost,
                "none" => UpstreamClientAuthentication.None,
                var other => throw new CandelaException(ErrorCode.InvalidArgument, $"'{other}' is no authentication: it must be client_secret_basic, client_secret_post or none"),
            },
            request.Scopes.Checked("scopes") ?? present?.Scopes ?? DefaultScopes);
    }

    private static LdapUpstream? Ldap(LdapUpstream? present, IdentityProviderRequest request)
    {
        if ((request.Address ?? request.BindName ?? request.BaseName ?? request.ObjectClass ?? request.GroupBaseName) is null)
            return present;
        var (host, port, startTls) = request.Address is { } address ? Address(address) : present is null ? throw Missing("address") : (present.Host, present.Port, present.StartTls);
        return new LdapUpstream(
            host, port, startTls,
            request.BindName is { } binder ? binder.Length > 0 ? binder : null : present?.BindName,
            request.BaseName ?? present?.BaseName ?? throw Missing("baseName"),
            request.ObjectClass ?? present?.ObjectClass ?? "person",
            request.GroupBaseName is { } groups ? groups.Length > 0 ? groups : null : present?.GroupBaseName);
    }

    private static CandelaException Missing(string member) => new(ErrorCode.InvalidArgument, $"{member} is missing");

    private static (string Host, int Port, bool StartTls) Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "ldap" or "ldaps" && uri.PathAndQuery is "" or "/" && uri.UserInfo.Length + uri.Fragment.Length == 0
            ? (uri.IdnHost.Trim('[', ']'), uri.Port > 0 ? uri.Port : uri.Scheme == "ldap" ? LdapPort : LdapsPort, uri.Scheme == "ldap")
            : throw new CandelaException(ErrorCode.InvalidArgument, $"'{text}' is no address of a directory: it must be like ldaps://ldap.example.org, or ldap://ldap.example.org for StartTLS");

    private static IEnumerable<byte[]> Certificates(string pem)
    {
        var found = new System.Security.Cryptography.X509Certificates.X509Certificate2Collection();
        try
        {
            found.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, "an authority's certificate must be in PEM (-----BEGIN CERTIFICATE-----)", e);
        }

        if (found.Count == 0)
            throw new CandelaException(ErrorCode.InvalidArgument, "an authority's certificate must be in PEM (-----BEGIN CERTIFICATE-----)");
        foreach (var certificate in found)
        {
            using (certificate)
                yield return certificate.RawData;
        }
    }

    private static Guid Group(string name, Guid domainId, IDirectory directory) =>
        directory.Current.Find(domainId, EntryKind.Group, name)?.Id ?? throw new CandelaException(ErrorCode.NotFound, $"no such group in the domain: {name}");

    private static IdentityLinkReport Report(IdentityLink link) => new(link.Subject, link.AccountName, link.AccountId, link.OwnsAccount, link.CreatedAt);

    private static IdentityProviderReport Report(IdentityProvider provider, IDirectory directory) => new()
    {
        Name = provider.Name,
        Domain = directory.Current.GetDomain(provider.DomainId)?.Name ?? provider.DomainId.ToString(),
        Kind = provider.Ldap is null ? "openid" : "ldap",
        DisplayName = provider.DisplayName,
        Issuer = provider.OpenId?.Issuer,
        ClientId = provider.OpenId?.ClientId,
        Authentication = provider.OpenId?.Authentication switch
        {
            null => null,
            UpstreamClientAuthentication.SecretPost => "client_secret_post",
            UpstreamClientAuthentication.None => "none",
            _ => "client_secret_basic",
        },
        Scopes = provider.OpenId?.Scopes,
        RedirectPath = provider.OpenId is null ? null : $"/sign-in/from/{provider.Name}",
        Address = provider.Ldap is { } ldap ? $"{(ldap.StartTls ? "ldap" : "ldaps")}://{(ldap.Host.Contains(':', StringComparison.Ordinal) ? $"[{ldap.Host}]" : ldap.Host)}:{ldap.Port}" : null,
        BindName = provider.Ldap?.BindName,
        BaseName = provider.Ldap?.BaseName,
        ObjectClass = provider.Ldap?.ObjectClass,
        GroupBaseName = provider.Ldap?.GroupBaseName,
        HasSecret = provider.SealedSecret is not null,
        Authorities = [.. provider.Authorities.Select(der => Convert.ToHexString(SHA256.HashData(der)))],
        CreateAccounts = provider.CreateAccounts,
        Listed = provider.Listed,
        RequiredGroups = provider.RequiredGroups,
        Groups = provider.Groups.ToDictionary(pair => pair.Key, pair => directory.Current.Get(pair.Value)?.Name ?? pair.Value.ToString()),
        Attributes = provider.Attributes,
        Enabled = provider.Enabled,
        CreatedAt = provider.CreatedAt,
        Revision = provider.Revision,
    };
}
