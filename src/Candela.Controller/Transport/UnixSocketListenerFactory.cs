using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Candela.Controller.Transport;

/// <summary>Kestrel's doorway to this transport: binds Unix-socket end points only.</summary>
internal sealed class UnixSocketListenerFactory(IOptions<UnixSocketOptions> options, ILoggerFactory loggers)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is UnixDomainSocketEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (endpoint is not UnixDomainSocketEndPoint unix)
            throw new NotSupportedException($"{endpoint} is not a Unix socket.");
        var file = UnixSocketFile.Bind(unix.ToString()!, options.Value);
        return ValueTask.FromResult<IConnectionListener>(
            new UnixSocketListener(file, unix, options.Value, loggers.CreateLogger<UnixSocketListener>()));
    }
}
