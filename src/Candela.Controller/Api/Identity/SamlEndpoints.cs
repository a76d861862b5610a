using System.Security.Cryptography;
using System.Text;
using Candela.Controller.Api.Http;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Identity.Saml;
using Candela.Identity.Saml.Providers;
using Candela.Model;
using Candela.Model.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Api.Identity;

/// <summary>SAML service providers and the identity provider's keys.</summary>
internal static class SamlEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var all = api.MapGroup("/saml-providers").WithTags("SAML");
        all.MapGet("", ListAsync).Needs(ResourceKind.Client, Verb.List).Describe("listSamlProviders", "Lists the SAML service providers of a domain", ErrorCode.NotFound, ErrorCode.NotSupported);
        all.MapPost("", CreateAsync).Needs(ResourceKind.Client, Verb.Create).Describe("createSamlProvider", "Registers a SAML service provider by its metadata, by fields, or both", ErrorCode.NotFound, ErrorCode.AlreadyExists, ErrorCode.NotSupported);
        var one = all.MapGroup("/{name}");
        one.MapGet("", GetAsync).Needs(ResourceKind.Client, Verb.Get).Describe("getSamlProvider", "Shows a SAML service provider", ErrorCode.NotFound, ErrorCode.NotSupported);
        one.MapPatch("", UpdateAsync).Needs(ResourceKind.Client, Verb.Update).Describe("updateSamlProvider", "Changes a SAML service provider", ErrorCode.NotFound, ErrorCode.Conflict, ErrorCode.AlreadyExists, ErrorCode.NotSupported);
        one.MapDelete("", DeleteAsync).Needs(ResourceKind.Client, Verb.Delete).Describe("deleteSamlProvider", "Removes a SAML service provider", ErrorCode.NotFound, ErrorCode.Conflict, ErrorCode.NotSupported);
        var keys = api.MapGroup("/saml-keys").WithTags("SAML");
        keys.MapGet("", ListKeysAsync).Needs(ResourceKind.Client, Verb.List).Describe("listSamlKeys", "Lists the keys that sign SAML messages now, soon, or did lately", ErrorCode.NotSupported);
        keys.MapPost("/rotate", RotateAsync).Needs(ResourceKind.System, Verb.Update).Describe("rotateSamlKey", "Makes the next key: announced first, or with 'urgent' at once", ErrorCode.Conflict, ErrorCode.NotSupported);
    }

    private static async Task<Ok<SamlProviderReport[]>> ListAsync(HttpContext http, IDirectory directory, CancellationToken cancellationToken, string? domain = null) =>
        TypedResults.Ok((await Saml(http).ListAsync(http.Actor, domain ?? Domain.SystemName, cancellationToken)).Select(p => Report(p, directory)).ToArray());

    private static async Task<Created<SamlProviderReport>> CreateAsync(
        SamlProviderRequest request, HttpContext http, IDirectory directory, CancellationToken cancellationToken, string? domain = null)
    {
        var made = await Saml(http).CreateAsync(
            http.Actor,
            domain ?? Domain.SystemName,
            request.Name ?? throw new CandelaException(ErrorCode.InvalidArgument, "name is missing"),
            Metadata(request),
            draft => Change(draft, request, directory),
            cancellationToken);
        return TypedResults.Created($"/v1/saml-providers/{made.Name}", Report(made, directory));
    }

    private static async Task<Ok<SamlProviderReport>> GetAsync(string name, HttpContext http, IDirectory directory, CancellationToken cancellationToken) =>
        TypedResults.Ok(Report(await Saml(http).GetAsync(http.Actor, name, cancellationToken), directory));

    private static async Task<Ok<SamlProviderReport>> UpdateAsync(string name, SamlProviderRequest request, HttpContext http, IDirectory directory, CancellationToken cancellationToken)
    {
        if (request.Name is not null)
            throw new CandelaException(ErrorCode.InvalidArgument, "a service provider's name stays: leave it out");
        return TypedResults.Ok(Report(
            await Saml(http).UpdateAsync(http.Actor, name, Metadata(request), draft => Change(draft, request, directory), request.Revision, cancellationToken), directory));
    }

    private static async Task<NoContent> DeleteAsync(string name, HttpContext http, CancellationToken cancellationToken)
    {
        await Saml(http).DeleteAsync(http.Actor, name, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<SamlKeyReport[]>> ListKeysAsync(HttpContext http, CancellationToken cancellationToken) =>
        TypedResults.Ok((await Saml(http).ListKeysAsync(http.Actor, cancellationToken)).Select(Report).ToArray());

    private static async Task<Ok<SamlKeyReport>> RotateAsync(HttpContext http, CancellationToken cancellationToken, bool urgent = false) =>
        TypedResults.Ok(Report(await Saml(http).RotateKeyAsync(http.Actor, urgent, cancellationToken)));

    /// <exception cref="CandelaException">NotSupported: there is no front door, hence no SAML.</exception>
    private static SamlAdministration Saml(HttpContext http) => http.RequestServices.GetRequiredService<SamlAdministration>();

    private static ReadOnlyMemory<byte>? Metadata(SamlProviderRequest request) => request.Metadata is { } xml ? Encoding.UTF8.GetBytes(xml) : null;

    private static SamlServiceProvider Change(SamlServiceProvider provider, SamlProviderRequest request, IDirectory directory) => provider with
    {
        DisplayName = request.DisplayName is { } shown ? shown.Length > 0 ? shown : null : provider.DisplayName,
        EntityId = request.EntityId ?? provider.EntityId,
        AssertionConsumers = request.ConsumerAddresses.Checked("consumerAddresses") is { } addresses ? [.. addresses.Select((address, index) => new SamlEndpoint(index, address))] : provider.AssertionConsumers,
        SigningCertificates = request.SigningCertificates.Checked("signingCertificates") is { } certificates ? [.. certificates.Select(Certificate)] : provider.SigningCertificates,
        Logout = request.LogoutAddress is { } logout ? logout.Length > 0 ? new SamlLogoutEndpoint(logout, logout, Post: false) : null : provider.Logout,
        EncryptionCertificate = request.EncryptionCertificate is { } encryption ? encryption.Length > 0 ? Certificate(encryption) : null : provider.EncryptionCertificate,
        RequireSignedRequests = request.RequireSignedRequests ?? (request.SigningCertificates is { Count: > 0 } || provider.RequireSignedRequests),
        NameId = request.NameId switch
        {
            null => provider.NameId,
            "persistent" => SamlNameIdKind.Persistent,
            "email" => SamlNameIdKind.Email,
            "transient" => SamlNameIdKind.Transient,
            var other => throw new CandelaException(ErrorCode.InvalidArgument, $"'{other}' is no kind of name identifier: it must be persistent, email or transient"),
        },
        Attributes = request.Attributes.Checked("attributes") ?? provider.Attributes,
        AllowedGroups = request.AllowedGroups.Checked("allowedGroups") is { } groups ? [.. groups.Select(name => Group(name, provider.DomainId, directory))] : provider.AllowedGroups,
        Enabled = request.Enabled ?? provider.Enabled,
    };

    private static byte[] Certificate(string pem) =>
        PemEncoding.TryFind(pem, out var fields) && pem[fields.Label] == "CERTIFICATE"
            ? Convert.FromBase64String(pem[fields.Base64Data])
            : throw new CandelaException(ErrorCode.InvalidArgument, "a certificate must be in PEM (-----BEGIN CERTIFICATE-----)");

    private static Guid Group(string name, Guid domainId, IDirectory directory) =>
        directory.Current.Find(domainId, EntryKind.Group, name)?.Id ?? throw new CandelaException(ErrorCode.NotFound, $"no such group in the domain: {name}");

    private static SamlProviderReport Report(SamlServiceProvider provider, IDirectory directory) => new()
    {
        Name = provider.Name,
        Domain = directory.Current.GetDomain(provider.DomainId)?.Name ?? provider.DomainId.ToString(),
        DisplayName = provider.DisplayName,
        EntityId = provider.EntityId,
        ConsumerAddresses = [.. provider.AssertionConsumers.Select(e => e.Location)],
        LogoutAddress = provider.Logout?.Location,
        SigningCertificates = [.. provider.SigningCertificates.Select(Fingerprint)],
        EncryptionCertificate = provider.EncryptionCertificate is { } certificate ? Fingerprint(certificate) : null,
        RequireSignedRequests = provider.RequireSignedRequests,
        NameId = provider.NameId switch { SamlNameIdKind.Email => "email", SamlNameIdKind.Transient => "transient", _ => "persistent" },
        Attributes = provider.Attributes,
        AllowedGroups = [.. provider.AllowedGroups.Select(id => directory.Current.Get(id)?.Name ?? id.ToString())],
        Enabled = provider.Enabled,
        CreatedAt = provider.CreatedAt,
        Revision = provider.Revision,
    };

    private static SamlKeyReport Report(SamlKeyDescription key) => new(key.Id, key.SignsFrom, key.NotAfter, key.Fingerprint, key.IsCurrent);

    private static string Fingerprint(byte[] der) => Convert.ToHexString(SHA256.HashData(der));
}
