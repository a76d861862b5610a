using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Certificates;

/// <summary>
/// Certificate of this process's TLS listeners, with a new key each time: made when it is opened and renewed when half of its time is over. Keys
/// are in memory only.
/// </summary>
public sealed partial class ServerCertificate : IAsyncDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    private readonly CertificateAuthority _authority;
    private readonly CertificateOrder _order;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _renewing;
    private SslStreamCertificateContext _current;

    private ServerCertificate(CertificateAuthority authority, CertificateOrder order, (SslStreamCertificateContext Context, TimeSpan HalfLife) first, TimeProvider time, ILogger logger)
    {
        _authority = authority;
        _order = order;
        _time = time;
        _logger = logger;
        _current = first.Context;
        _renewing = RenewForEverAsync(first.HalfLife);
    }

    /// <summary>The certificate with its chain; to be asked for at every handshake.</summary>
    public SslStreamCertificateContext Current => Volatile.Read(ref _current);

    /// <summary>Makes the first one.</summary>
    /// <param name="authority">Who issues it.</param>
    /// <param name="owner">Who answers for it, such as <c>controller:NAME</c>.</param>
    /// <param name="names">Names and addresses by which clients reach the listeners.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Log.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="Model.CandelaException">InvalidArgument: a name is none.</exception>
    public static async Task<ServerCertificate> OpenAsync(
        CertificateAuthority authority, string owner, CertificateNames names, TimeProvider time, ILogger<ServerCertificate> logger, CancellationToken cancellationToken)
    {
        var order = new CertificateOrder { Profile = CertificateProfile.Server, Owner = owner, Names = names };
        return new ServerCertificate(authority, order, await MakeAsync(authority, order, time, cancellationToken), time, logger);
    }

    /// <summary>Ends the renewal; handshakes that have begun go on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
            return;
        await _closing.CancelAsync();
        await _renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private static async Task<(SslStreamCertificateContext Context, TimeSpan HalfLife)> MakeAsync(
        CertificateAuthority authority, CertificateOrder order, TimeProvider time, CancellationToken cancellationToken)
    {
        var (issued, pkcs8) = await authority.IssueWithKeyAsync(order, cancellationToken);
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        CryptographicOperations.ZeroMemory(pkcs8);
        using var certificate = issued.ToCertificate();
        X509Certificate2Collection chain = [.. issued.Chain.Select(der => X509CertificateLoader.LoadCertificate(der.Span))];
        return (SslStreamCertificateContext.Create(certificate.CopyWithPrivateKey(key), chain, offline: true), (issued.NotAfter - time.GetUtcNow()) / 2);
    }

    private async Task RenewForEverAsync(TimeSpan wait)
    {
        while (true)
        {
            await Task.Delay(wait, _time, _closing.Token);
            try
            {
                (var context, wait) = await MakeAsync(_authority, _order, _time, _closing.Token);
                Volatile.Write(ref _current, context);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                wait = RetryInterval;
                Log.RenewalFailed(_logger, e);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The certificate of this server could not be renewed; it is tried again in a minute")]
        public static partial void RenewalFailed(ILogger logger, Exception reason);
    }
}
