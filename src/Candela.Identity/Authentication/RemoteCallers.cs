using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Auditing;
using Candela.Identity.Authorization;
using Candela.Identity.Certificates;
using Candela.Identity.Jose;
using Candela.Identity.Kerberos;
using Candela.Identity.Workloads;
using Candela.Model;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Authentication;

/// <summary>Verifies an access token of the platform's own provider (RFC 9068): signature, issuer, audience, time, and that it has not been revoked.</summary>
/// <param name="token">Token.</param>
/// <param name="certificate">TLS certificate of its sender; null: none. A bound token needs its own (RFC 8705, section 3).</param>
/// <param name="cancellationToken">Ends the call.</param>
/// <returns>Whose rights count.</returns>
/// <exception cref="CandelaException">Unauthenticated: it does not count; the message says why.</exception>
public delegate Task<VerifiedToken> AccessTokenVerifier(string token, X509Certificate2? certificate, CancellationToken cancellationToken);

/// <summary>
/// Who sends a request over TLS: by bearer token (RFC 6750), which is an access token of the platform (RFC 9068) or a workload's JWT-SVID, or by
/// client certificate, an account's or a workload's X.509-SVID. What was revoked, disabled or has ended is refused at once.
/// </summary>
public sealed class RemoteCallers
{
    private const string Scheme = "Bearer ";
    private const string TicketScheme = "Negotiate ";
    private const string AccessTokenType = "at+jwt";
    private const int TokenLength = 16 * 1024;

    private readonly IssuedClientCertificates _certificates;
    private readonly IDirectory _directory;
    private readonly TrustDomain _domain;
    private readonly AccessTokenVerifier? _tokens;
    private readonly TicketAcceptor? _tickets;
    private readonly ProtocolAudit _audit;
    private readonly string _audience;

    /// <param name="authority">Issuer of client certificates.</param>
    /// <param name="directory">Accounts.</param>
    /// <param name="domain">Workloads.</param>
    /// <param name="tokens">Access tokens; null: there are none.</param>
    /// <param name="sink">Keeps refusals.</param>
    /// <param name="time">Clock.</param>
    /// <param name="audience">Whom tokens must be for: the address of what is called.</param>
    /// <param name="tickets">Kerberos tickets; null: there are none.</param>
    public RemoteCallers(
        CertificateAuthority authority, IDirectory directory, TrustDomain domain, AccessTokenVerifier? tokens, IAuditSink sink, TimeProvider time, string audience, TicketAcceptor? tickets)
    {
        _tickets = tickets;
        _certificates = new IssuedClientCertificates(authority, directory);
        (_directory, _domain, _tokens, _audience) = (directory, domain, tokens, audience);
        _audit = new ProtocolAudit(sink, time);
    }

    /// <summary>Kerberos tickets are accepted (RFC 4559).</summary>
    public bool AcceptsTickets => _tickets is not null;

    /// <summary>The sender; null: the request does not say who it is.</summary>
    /// <exception cref="CandelaException">Unauthenticated: it says so wrongly.</exception>
    public async Task<Actor?> FindAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var from = context.Connection.RemoteIpAddress?.ToString() ?? "";
        try
        {
            // Section 2: the header is the one way; a token in the address would be in every log.
            var certificate = await context.Connection.GetClientCertificateAsync(context.RequestAborted);
            var header = context.Request.Headers.Authorization;
            if (header.Count > 1)
                throw Refused("there is more than one Authorization header");
            if (header is [{ } text])
            {
                if (_tickets is not null && text.StartsWith(TicketScheme, StringComparison.OrdinalIgnoreCase))
                    return OfTicket(context, _tickets, from);
                return text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && text.Length <= TokenLength
                    ? await OfTokenAsync(context, text[Scheme.Length..].Trim(), certificate, from)
                    : throw Refused("the Authorization header is not 'Bearer TOKEN'");
            }

            if (certificate is null)
                return null;
            RequireOwnOrigin(context);
            context.Features.Set(new CallerRecheck(cancellationToken => OfCertificateAsync(certificate.RawData, from, cancellationToken)));
            return await OfCertificateAsync(certificate.RawData, from, context.RequestAborted);
        }
        catch (CandelaException e)
        {
            _audit.Refused(Actor.Unproven("", from), "sign-in.request", context.Request.Path, e);
            throw;
        }
    }

    /// <summary>Tickets and certificates are sent by browsers of themselves, on behalf of whatever page asks: of others' pages they are refused.</summary>
    private void RequireOwnOrigin(HttpContext context)
    {
        var headers = context.Request.Headers;
        var own = Uri.TryCreate(_audience, UriKind.Absolute, out var address) ? address.GetLeftPart(UriPartial.Authority) : null;
        if ((headers.Origin is not [] && (own is null || headers.Origin != own)) || headers["Sec-Fetch-Site"] is not ([] or ["same-origin"] or ["none"]))
            throw Refused("the request comes from another site's page");
    }

    private Actor OfTicket(HttpContext context, TicketAcceptor tickets, string from)
    {
        RequireOwnOrigin(context);
        if (HttpTicket.Accept(context, tickets) is not { Account: { } account })
            throw Refused("the Kerberos ticket is not accepted, or of no account that can sign in now");
        context.Features.Set(new CallerRecheck(_ => Task.FromResult(Of(_directory.Current.Get(account.Id) ?? throw Refused("the account is gone"), from))));
        return Of(account, from);
    }

    private async Task<Actor> OfTokenAsync(HttpContext context, string token, X509Certificate2? certificate, string from)
    {
        // The type keeps them apart (RFC 9068, section 2.1): what is no access token by its type is never taken for one, nor the other way round.
        if (_tokens is null || TypeOf(token) is not (AccessTokenType or "application/" + AccessTokenType))
        {
            context.Features.Set(new CallerRecheck(cancellationToken => _domain.ValidateJwtAsync(token, _audience, cancellationToken)));
            return Of((await _domain.ValidateJwtAsync(token, _audience, context.RequestAborted)).Id, from);
        }

        var verified = await _tokens(token, certificate, context.RequestAborted);
        context.Features.Set(new CallerRecheck(verified.RecheckAsync));
        return verified switch
        {
            { Account: { } account } => Of(account, from),
            { Workload: { } workload } => Of(workload, from),
            _ => throw Refused("the access token speaks for a client only: it needs an account, such as the client's service account"),
        };
    }

    private async Task<Actor> OfCertificateAsync(byte[] certificate, string from, CancellationToken cancellationToken)
    {
        if (await _certificates.FindAccountAsync(certificate, cancellationToken) is { } account)
            return Of(account, from);
        return Of(await _domain.Workloads.VerifyAsync(certificate, cancellationToken), from);
    }

    private Actor Of(DirectoryEntry account, string from) =>
        account.Enabled && _directory.Current.GetDomain(account.DomainId) is { Enabled: true } domain ? Actor.Of(account, domain, from) : throw Refused("the account is disabled");

    /// <summary>A workload of this trust domain acts; one of another would need bindings that cannot be made.</summary>
    private Actor Of(SpiffeId id, string from) => id.TrustDomain == _domain.Name && id.Path.Split('/', StringSplitOptions.RemoveEmptyEntries) is [var tenant, var project, var name]
        ? Actor.Workload(Subject.Workload(tenant, project, name), from)
        : throw Refused($"{id} is not a container of {_domain.Name}");

    private static string? TypeOf(string token)
    {
        try
        {
            return CompactJws.Read(token).Header.Text("typ");
        }
        catch (JoseException e)
        {
            throw new CandelaException(ErrorCode.Unauthenticated, $"the bearer token is refused: {e.Message}", e);
        }
    }

    private static CandelaException Refused(string reason) => new(ErrorCode.Unauthenticated, reason);
}
