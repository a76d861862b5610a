using System.Security.Cryptography;
using System.Text.Json;
using Candela.Identity.Acme.Challenges;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Certificates.Requests;
using Candela.Identity.Jose;
using Candela.Model;
using Candela.State;
using Microsoft.AspNetCore.Http;

namespace Candela.Identity.Acme;

/// <summary>Orders, authorizations and certificates (RFC 8555, section 7.4 and 7.5).</summary>
internal sealed class AcmeOrders(
    AcmeStore documents, AcmeAccounts accounts, IReadOnlyDictionary<string, IChallenge> challenges, CertificateAuthority authority, AcmeOptions options, TimeProvider time)
{
    /// <summary>Most names of one order.</summary>
    public const int NameCount = 100;

    /// <summary>Most orders of one account that have not expired.</summary>
    public const int OrderCount = 300;

    private const int TokenBytes = 32;

    /// <summary>Challenge types.</summary>
    public IEnumerable<string> ChallengeTypes => challenges.Keys;

    public async Task<AcmeOrder> CreateAsync(AcmeAccount account, JsonElement payload, CancellationToken cancellationToken)
    {
        if (payload.TryGetProperty("notBefore", out _) || payload.TryGetProperty("notAfter", out _))
            throw AcmeException.Malformed("the times of a certificate cannot be chosen here: leave notBefore and notAfter out");
        var names = Names(payload);
        var domains = await accounts.DomainsOfAsync(account, cancellationToken);
        foreach (var name in names)
        {
            if (!domains.Any(domain => DnsNames.IsWithin(name, domain)))
                throw AcmeException.RejectedIdentifier(name, "this account may not have certificates for it");
        }

        if ((await documents.OrdersOfAsync(account.Id, OrderCount, cancellationToken)).Count >= OrderCount)
            throw new AcmeException("rateLimited", StatusCodes.Status429TooManyRequests, $"the account has {OrderCount} orders: wait until some expire");
        var expires = time.GetUtcNow() + options.OrderLifetime;
        var id = AcmeStore.NewId();
        var transaction = new StateTransaction();
        var authorizations = names.Select(name => new AcmeAuthorization
        {
            Id = AcmeStore.NewId(),
            Account = account.Id,
            Order = id,
            Name = name,
            Token = Base64UrlText.Encode(RandomNumberGenerator.GetBytes(TokenBytes)),
            ExpiresAt = expires,
        }).ToArray();
        foreach (var authorization in authorizations)
            AcmeStore.Put(transaction, authorization, 0);
        var order = new AcmeOrder { Id = id, Account = account.Id, Names = names, Authorizations = [.. authorizations.Select(a => a.Id)], ExpiresAt = expires };
        AcmeStore.Put(transaction, order, 0).Put(AcmeKeys.OrdersOf(account.Id) + id, ReadOnlyMemory<byte>.Empty);
        await documents.CommitAsync(transaction, cancellationToken);
        return order;
    }

    /// <summary>An account's order, with its state as it follows from its authorizations.</summary>
    public async Task<Stored<AcmeOrder>> GetAsync(AcmeAccount account, string id, CancellationToken cancellationToken)
    {
        var order = await documents.OrderAsync(id, cancellationToken);
        if (order is null || order.Value.Account != account.Id)
            throw AcmeException.NotFound("order");
        if (order.Value.Status != AcmeStatus.Pending)
            return order;
        var status = AcmeStatus.Ready;
        foreach (var authorizationId in order.Value.Authorizations)
        {
            var authorization = await documents.AuthorizationAsync(authorizationId, cancellationToken);
            if (authorization is null || Now(authorization.Value).Status is AcmeStatus.Invalid or AcmeStatus.Deactivated or AcmeStatus.Expired)
                return order with { Value = order.Value with { Status = AcmeStatus.Invalid, Error = authorization?.Value.Error } };
            if (authorization.Value.Status == AcmeStatus.Pending)
                status = AcmeStatus.Pending;
        }

        return order with { Value = order.Value with { Status = status } };
    }

    /// <summary>Ids of an account's orders.</summary>
    public Task<IReadOnlyList<string>> ListAsync(AcmeAccount account, CancellationToken cancellationToken) => documents.OrdersOfAsync(account.Id, OrderCount, cancellationToken);

    /// <summary>Issues the certificate of an order whose authorizations are all valid.</summary>
    public async Task<AcmeOrder> FinalizeAsync(AcmeAccount account, JsonWebKey accountKey, string id, JsonElement payload, CancellationToken cancellationToken)
    {
        var order = await GetAsync(account, id, cancellationToken);
        if (order.Value.Status != AcmeStatus.Ready)
            throw new AcmeException("orderNotReady", StatusCodes.Status403Forbidden, $"the order is {order.Value.Status.ToString().ToLowerInvariant()}, not ready");
        var domains = await accounts.DomainsOfAsync(account, cancellationToken);
        if (!order.Value.Names.All(name => domains.Any(domain => DnsNames.IsWithin(name, domain))))
            throw AcmeException.Unauthorized("this account may no longer have certificates for these names");
        var request = Request(payload);
        if (request.PublicKey.Der.Span.SequenceEqual(accountKey.Key.Der.Span))
            throw AcmeException.BadCsr("the certificate's key must not be the account's key");
        if (!request.Names.SameAs(new CertificateNames { Dns = order.Value.Names }))
            throw AcmeException.BadCsr("the request's subject alternative names are not those of the order");
        IssuedCertificate certificate;
        try
        {
            certificate = authority.Make(
                new CertificateOrder { Profile = CertificateProfile.Server, Owner = OwnerOf(account), Names = new CertificateNames { Dns = order.Value.Names }, CommonName = request.CommonName }, request.PublicKey);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.InvalidArgument)
        {
            throw AcmeException.BadCsr(e.Message);
        }

        // The certificate and the order that it fulfils are written together: one order, one certificate.
        var issued = order.Value with { Status = AcmeStatus.Valid, Authority = certificate.Authority, Serial = certificate.Serial };
        var transaction = AcmeStore.Put(new StateTransaction(), issued, order.Revision);
        CertificateRecords.Add(transaction, certificate);
        return await documents.CommitAsync(transaction, cancellationToken)
            ? issued
            : throw new AcmeException("orderNotReady", StatusCodes.Status403Forbidden, "the order was finalized at the same moment");
    }

    /// <summary>The certificate of an order, with its chain.</summary>
    public async Task<string> CertificateAsync(AcmeAccount account, string id, CancellationToken cancellationToken)
    {
        var order = await GetAsync(account, id, cancellationToken);
        return order.Value is { Authority: { } issuer, Serial: { } serial } && await authority.Records.FindAsync(issuer, serial, cancellationToken) is { } certificate &&
            authority.FindCertificate(issuer) is { } chain
            ? (certificate with { Chain = [chain] }).ToPem()
            : throw AcmeException.NotFound("certificate");
    }

    /// <summary>An account's authorization.</summary>
    public async Task<Stored<AcmeAuthorization>> AuthorizationAsync(AcmeAccount account, string id, CancellationToken cancellationToken)
    {
        var authorization = await documents.AuthorizationAsync(id, cancellationToken);
        return authorization is not null && authorization.Value.Account == account.Id
            ? authorization with { Value = Now(authorization.Value) }
            : throw AcmeException.NotFound("authorization");
    }

    /// <summary>Gives an authorization up (RFC 8555, section 7.5.2).</summary>
    public async Task<AcmeAuthorization> DeactivateAsync(Stored<AcmeAuthorization> authorization, CancellationToken cancellationToken)
    {
        if (authorization.Value.Status is not (AcmeStatus.Pending or AcmeStatus.Valid))
            throw AcmeException.Malformed($"the authorization is {authorization.Value.Status.ToString().ToLowerInvariant()}");
        var changed = authorization.Value with { Status = AcmeStatus.Deactivated };
        return await documents.CommitAsync(AcmeStore.Put(new StateTransaction(), changed, authorization.Revision), cancellationToken)
            ? changed
            : throw AcmeException.Malformed("the authorization was changed meanwhile: try again");
    }

    /// <summary>Tries a challenge, and sets its authorization by what comes of it.</summary>
    public async Task<AcmeAuthorization> ChallengeAsync(AcmeAccount account, string authorizationId, string type, JsonElement payload, CancellationToken cancellationToken)
    {
        if (!challenges.TryGetValue(type, out var challenge))
            throw AcmeException.NotFound("challenge");
        var authorization = await AuthorizationAsync(account, authorizationId, cancellationToken);
        // Answered already: the state is the answer (RFC 8555, section 7.5.1).
        if (authorization.Value.Status != AcmeStatus.Pending)
            return authorization.Value;
        var error = await challenge.TryAsync(authorization.Value.Name, $"{authorization.Value.Token}.{account.Thumbprint}", authorization.Value.Token, payload, cancellationToken);
        var changed = authorization.Value with
        {
            Status = error is null ? AcmeStatus.Valid : AcmeStatus.Invalid,
            Challenge = type,
            ValidatedAt = error is null ? time.GetUtcNow() : null,
            Error = error,
        };
        return await documents.CommitAsync(AcmeStore.Put(new StateTransaction(), changed, authorization.Revision), cancellationToken)
            ? changed
            : (await AuthorizationAsync(account, authorizationId, cancellationToken)).Value;
    }

    /// <summary>An account has valid authorizations for all these names.</summary>
    public async Task<bool> HoldsAsync(AcmeAccount account, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var held = new HashSet<string>(StringComparer.Ordinal);
        foreach (var id in await documents.OrdersOfAsync(account.Id, OrderCount, cancellationToken))
        {
            foreach (var authorizationId in (await documents.OrderAsync(id, cancellationToken))?.Value.Authorizations ?? [])
            {
                if (await documents.AuthorizationAsync(authorizationId, cancellationToken) is { } a && Now(a.Value).Status == AcmeStatus.Valid)
                    held.Add(a.Value.Name);
            }
        }

        return names.Count > 0 && held.IsSupersetOf(names);
    }

    /// <summary>Owner of the certificates of an account.</summary>
    public static string OwnerOf(AcmeAccount account) => $"acme:{account.Id}";

    private AcmeAuthorization Now(AcmeAuthorization authorization) => authorization.Status switch
    {
        AcmeStatus.Pending when authorization.ExpiresAt <= time.GetUtcNow() => authorization with { Status = AcmeStatus.Invalid },
        AcmeStatus.Valid when authorization.ExpiresAt <= time.GetUtcNow() => authorization with { Status = AcmeStatus.Expired },
        _ => authorization,
    };

    private static List<string> Names(JsonElement payload)
    {
        if (!payload.TryGetProperty("identifiers", out var identifiers) || identifiers.ValueKind != JsonValueKind.Array || identifiers.GetArrayLength() is 0 or > NameCount)
            throw AcmeException.Malformed($"identifiers is an array of 1 to {NameCount}");
        var names = new List<string>();
        foreach (var identifier in identifiers.EnumerateArray())
        {
            if (identifier.ValueKind != JsonValueKind.Object || identifier.Text("value") is not { } value)
                throw AcmeException.Malformed("an identifier has a type and a value");
            if (identifier.Text("type") != "dns")
                throw new AcmeException("unsupportedIdentifier", StatusCodes.Status400BadRequest, "identifiers are of type dns");
            try
            {
                var name = DnsNames.Check(value, allowWildcard: false);
                if (!names.Contains(name))
                    names.Add(name);
            }
            catch (CandelaException e)
            {
                throw AcmeException.RejectedIdentifier(value, e.Message);
            }
        }

        return names;
    }

    private static SigningRequest Request(JsonElement payload)
    {
        if (payload.Text("csr") is not { } text || Base64UrlText.TryDecode(text) is not { } der)
            throw AcmeException.Malformed("csr is a signing request in DER, as base64url");
        try
        {
            return SigningRequest.Read(der);
        }
        catch (CandelaException e)
        {
            throw AcmeException.BadCsr(e.Message);
        }
    }
}
