using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Candela.Controller.Transport;

/// <summary>Accepts connections of one socket file.</summary>
internal sealed partial class UnixSocketListener(
    UnixSocketFile file, UnixDomainSocketEndPoint endPoint, UnixSocketOptions options, ILogger<UnixSocketListener> logger)
    : IConnectionListener
{
    public EndPoint EndPoint { get; } = endPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await file.Socket.AcceptAsync(cancellationToken);
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.OperationAborted)
            {
                return null;
            }
            catch (SocketException e)
            {
                // The peer went away before it was accepted, or the process is out of descriptors for now.
                Log.AcceptFailed(logger, e, EndPoint);
                if (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
                    await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
                continue;
            }

            try
            {
                var connection = new UnixSocketConnection(socket, EndPoint, options, logger);
                connection.Start();
                return connection;
            }
            catch (SocketException e)
            {
                Log.AcceptFailed(logger, e, EndPoint);
                socket.Dispose();
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        file.Dispose();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        file.Dispose();
        return ValueTask.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "A connection to {EndPoint} could not be accepted")]
        public static partial void AcceptFailed(ILogger logger, Exception exception, EndPoint endPoint);
    }
}
