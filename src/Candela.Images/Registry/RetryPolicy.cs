using System.Net;
using Candela.Model;

namespace Candela.Images.Registry;

/// <summary>A registry's answer that may be another the next time.</summary>
internal sealed class PassingFailureException(string message, TimeSpan? retryAfter) : Exception(message)
{
    /// <summary>How long the registry asks to wait; null: it does not say.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>The failure that a response with a passing status stands for.</summary>
    public static PassingFailureException From(HttpResponseMessage response, RegistryError error, TimeProvider time)
    {
        var after = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        var text = error.Status == HttpStatusCode.TooManyRequests && error.Code.Length == 0 ? "toomanyrequests: " + error.Text : error.Text;
        return new PassingFailureException(text, after < TimeSpan.Zero ? TimeSpan.Zero : after);
    }
}

/// <summary>Which failures are worth another attempt, and when.</summary>
internal sealed class RetryPolicy(RegistryOptions options, TimeProvider time)
{
    /// <summary>Whether a failure may pass: a broken connection, silence, an overloaded registry.</summary>
    public static bool IsPassing(Exception failure)
        => failure is HttpRequestException or TimeoutException or PassingFailureException;

    /// <summary>Whether there was no connection at all. Worth no wait at the first request: the name may be wrong.</summary>
    public static bool IsUnreachable(Exception failure)
        => failure is HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
        };

    /// <summary>Waits before the next attempt.</summary>
    /// <returns>False when there is to be none.</returns>
    public async Task<bool> WaitAsync(Exception failure, int failures, CancellationToken cancellationToken)
    {
        if (failures >= options.Attempts)
            return false;
        var delay = options.DelayAfter(failures);
        if (failure is PassingFailureException { RetryAfter: { } asked })
        {
            if (asked > options.MaximumRetryDelay)
                return false;
            if (asked > delay)
                delay = asked;
        }

        await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Runs until it succeeds, fails for good, or attempts are used up.</summary>
    /// <exception cref="CandelaException">Unavailable when the last attempt failed too.</exception>
    public async Task<T> RunAsync<T>(string host, Func<CancellationToken, Task<T>> attempt, CancellationToken cancellationToken)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await attempt(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (IsPassing(e))
            {
                if (IsUnreachable(e) || !await WaitAsync(e, failures, cancellationToken).ConfigureAwait(false))
                    throw Unavailable(host, e);
            }
        }
    }

    /// <summary>The failure that users see once attempts are used up.</summary>
    public static CandelaException Unavailable(string host, Exception failure)
    {
        var reason = failure.InnerException is { } inner and not OperationCanceledException ? $"{failure.Message}: {inner.Message}" : failure.Message;
        return new CandelaException(ErrorCode.Unavailable, $"the registry {host} is not available: {reason}", failure);
    }
}
