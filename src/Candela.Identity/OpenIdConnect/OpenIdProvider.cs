using Candela.Identity.OpenIdConnect.Grants;
using Candela.Identity.OpenIdConnect.Tokens;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.OpenIdConnect;

/// <summary>Beginning and end of the OpenID provider.</summary>
public sealed partial class OpenIdProvider : IAsyncDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromHours(1);

    private readonly ProviderKeys _keys;
    private readonly ProviderTrust _trust;
    private readonly GrantStore _grants;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closing = new();
    private Task _sweeping = Task.CompletedTask;

    internal OpenIdProvider(ProviderKeys keys, ProviderTrust trust, GrantStore grants, TimeProvider time, ILogger<OpenIdProvider> logger) =>
        (_keys, _trust, _grants, _time, _logger) = (keys, trust, grants, time, logger);

    /// <summary>Reads the signing keys, makes the first one; to be called once, after the directory has started.</summary>
    /// <param name="trust">Certificates and workloads that clients can prove themselves by; null: none.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task StartAsync(TrustHost? trust, CancellationToken cancellationToken)
    {
        _trust.Host = trust;
        await _keys.Signing.StartAsync(cancellationToken);
        await _keys.Rsa.StartAsync(cancellationToken);
        _sweeping = SweepForEverAsync();
    }

    /// <summary>Ends the upkeep.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
            return;
        await _closing.CancelAsync();
        await _sweeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private async Task SweepForEverAsync()
    {
        using var timer = new PeriodicTimer(SweepInterval, _time);
        while (await timer.WaitForNextTickAsync(_closing.Token))
        {
            try
            {
                await _grants.SweepAsync(_closing.Token);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.SweepFailed(_logger, e);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Expired grants could not be removed; it is tried again in an hour")]
        public static partial void SweepFailed(ILogger logger, Exception reason);
    }
}
