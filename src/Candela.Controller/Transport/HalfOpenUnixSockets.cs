using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Transport;

/// <summary>Registration of the transport for Unix sockets.</summary>
public static class HalfOpenUnixSockets
{
    /// <summary>
    /// Serves Kestrel's Unix-socket end points by a transport that keeps sending after the peer has closed its writing side, gives
    /// <see cref="IPeerCredentialFeature"/> and <see cref="IConnectionTakeoverFeature"/>, and makes the socket file safely.
    /// Other end points stay with Kestrel's own transport.
    /// </summary>
    public static IServiceCollection AddHalfOpenUnixSockets(this IServiceCollection services, Action<UnixSocketOptions>? configure = null)
    {
        if (configure is not null)
            services.Configure(configure);
        return services.AddSingleton<IConnectionListenerFactory, UnixSocketListenerFactory>();
    }
}
