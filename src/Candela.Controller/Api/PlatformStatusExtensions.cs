using Candela.Model;

namespace Candela.Controller.Api;

/// <summary>The gate that every front end has while the platform is prepared.</summary>
public static class PlatformStatusExtensions
{
    /// <summary>Refuses a call while the platform is not ready.</summary>
    /// <exception cref="CandelaException">Unavailable; the message says what is being prepared, or why it failed.</exception>
    public static void ThrowIfNotReady(this IPlatformStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        if (status.Ready)
            return;
        throw new CandelaException(ErrorCode.Unavailable, status.Error is { Length: > 0 } error
            ? $"candelad cannot get ready: {error}"
            : $"candelad is getting ready: {status.Preparing ?? "starting"}");
    }
}
