using System.Text.Json;
using Candela.Identity.Acme.Challenges;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Revocation;
using Candela.Identity.Jose;
using Candela.Identity.Secrets;
using Candela.Identity.Workloads;
using Candela.Model;
using Candela.State;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Acme;

/// <summary>
/// The ACME server (RFC 8555), for users, services and containers. Accounts act for somebody that Candela knows (external account binding), or
/// for names of the open domains. Safe for use from many threads.
/// </summary>
public sealed partial class AcmeServer : IAsyncDisposable
{
    private static readonly TimeSpan UpkeepInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan Retention = TimeSpan.FromDays(1);

    private readonly CertificateAuthority _authority;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closing = new();
    private Task _upkeep = Task.CompletedTask;

    private AcmeServer(
        IStateStore store, ISecretBox secrets, CertificateAuthority authority, TrustDomain domain, IAcmeResolver resolver, AcmeOptions options, TimeProvider time, ILogger logger)
    {
        (_authority, Options, _time, _logger) = (authority, options, time, logger);
        Documents = new AcmeStore(store);
        Nonces = new AcmeNonces(store, secrets, options, time);
        Accounts = new AcmeAccounts(Documents, secrets, options, time);
        var challenges = new Dictionary<string, IChallenge> { [HttpChallenge.Type] = new HttpChallenge(resolver, options, time), [AttestedChallenge.Type] = new AttestedChallenge(domain) };
        Orders = new AcmeOrders(Documents, Accounts, challenges, authority, options, time);
    }

    internal AcmeOptions Options { get; }

    internal AcmeStore Documents { get; }

    internal AcmeNonces Nonces { get; }

    internal AcmeAccounts Accounts { get; }

    internal AcmeOrders Orders { get; }

    /// <summary>Makes the server ready.</summary>
    /// <param name="store">State store.</param>
    /// <param name="secrets">For shared keys.</param>
    /// <param name="authority">Issues the certificates.</param>
    /// <param name="domain">Vouches for containers.</param>
    /// <param name="resolver">Says where the host of a name is.</param>
    /// <param name="options">Settings.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static async Task<AcmeServer> OpenAsync(
        IStateStore store, ISecretBox secrets, CertificateAuthority authority, TrustDomain domain, IAcmeResolver resolver, AcmeOptions options, TimeProvider time, ILogger<AcmeServer> logger,
        CancellationToken cancellationToken)
    {
        options.Check();
        var server = new AcmeServer(store, secrets, authority, domain, resolver, options, time, logger);
        await server.Nonces.StartAsync(cancellationToken);
        server._upkeep = server.MaintainForEverAsync();
        return server;
    }

    /// <summary>Makes a key for external account binding (RFC 8555, section 7.3.4): one ACME account can be bound by it.</summary>
    /// <param name="owner">Whom the account acts for, such as <c>user:ID</c>.</param>
    /// <param name="domains">Domains whose names it may ask for.</param>
    /// <param name="lifetime">Until when it can be used.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Key id and HMAC key, as ACME clients want them; the key is not shown again.</returns>
    /// <exception cref="CandelaException">InvalidArgument.</exception>
    public Task<(string Id, string Key)> CreateExternalAccountAsync(string owner, IReadOnlyList<string> domains, TimeSpan lifetime, CancellationToken cancellationToken) =>
        Accounts.CreateExternalAsync(owner, domains, lifetime, cancellationToken);

    /// <summary>Withdraws such a key: the account that is bound by it gets no certificates any more.</summary>
    /// <exception cref="CandelaException">NotFound.</exception>
    public Task WithdrawExternalAccountAsync(string id, CancellationToken cancellationToken) => Accounts.WithdrawExternalAsync(id, cancellationToken);

    /// <summary>Ends what runs in the background.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _upkeep.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Nonces.Dispose();
        _closing.Dispose();
    }

    /// <summary>Revokes a certificate for its account, for one that has authorizations for its names, or for who has its key (RFC 8555, section 7.6).</summary>
    internal async Task RevokeAsync(AcmeRequest request, CancellationToken cancellationToken)
    {
        var payload = request.Object;
        if (payload.Text("certificate") is not { } text || Base64UrlText.TryDecode(text) is not { } der || await _authority.FindAsync(der, cancellationToken) is not { } record)
            throw new AcmeException("malformed", StatusCodes.Status404NotFound, "certificate is none that was issued here, in DER as base64url");
        if (!await MayRevokeAsync(request, record, cancellationToken))
            throw AcmeException.Unauthorized("neither the certificate's account nor its key has signed this");
        if (record.RevokedAt is not null)
            throw new AcmeException("alreadyRevoked", StatusCodes.Status400BadRequest, "the certificate was revoked before");
        await _authority.RevokeAsync(record.Serial, Reason(payload), cancellationToken);
    }

    /// <summary>Forgets what has long expired.</summary>
    internal Task MaintainAsync(CancellationToken cancellationToken) => Documents.PurgeAsync(_time.GetUtcNow() - Retention, cancellationToken);

    private static RevocationReason Reason(JsonElement payload)
    {
        if (!payload.TryGetProperty("reason", out var value))
            return RevocationReason.Unspecified;
        // What a certificate's holder can know; not, for example, that the authority's key was stolen.
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && (RevocationReason)number is
            RevocationReason.Unspecified or RevocationReason.KeyCompromise or RevocationReason.AffiliationChanged or RevocationReason.Superseded or RevocationReason.CessationOfOperation
            ? (RevocationReason)number
            : throw new AcmeException("badRevocationReason", StatusCodes.Status400BadRequest, "the reason is 0, 1, 3, 4 or 5");
    }

    private async Task<bool> MayRevokeAsync(AcmeRequest request, IssuedCertificate record, CancellationToken cancellationToken)
    {
        if (request.Account is { } account)
            return record.Owner == AcmeOrders.OwnerOf(account.Value) || await Orders.HoldsAsync(account.Value, record.Names, cancellationToken);
        using var certificate = record.ToCertificate();
        return certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(request.Key.Key.Der.Span);
    }

    private async Task MaintainForEverAsync()
    {
        using var timer = new PeriodicTimer(UpkeepInterval, _time);
        while (await timer.WaitForNextTickAsync(_closing.Token))
        {
            try
            {
                await MaintainAsync(_closing.Token);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.UpkeepFailed(_logger, e);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "Upkeep of the ACME server failed; it is tried again in an hour")]
        public static partial void UpkeepFailed(ILogger logger, Exception reason);
    }
}
