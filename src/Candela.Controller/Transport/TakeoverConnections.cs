using System.IO.Pipelines;
using System.Net.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Candela.Controller.Transport;

/// <summary>Takeover for connections of Kestrel's own transports, above TLS.</summary>
public static class TakeoverConnections
{
    /// <summary>
    /// Gives <see cref="IConnectionTakeoverFeature"/> to connections that speak HTTP/1.1; those of HTTP/2 carry other requests, too, and cannot be
    /// taken over. To be called after <c>UseHttps</c>. A taken-over connection ends with TLS's close_notify (RFC 8446, section 6.1), so that the
    /// other side can tell an end from a cut.
    /// </summary>
    public static void UseTakeover(this ListenOptions listen) => listen.Use(next => connection => RunAsync(connection, next));

    private static async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (connection.Features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol.Span.SequenceEqual(SslApplicationProtocol.Http2.Protocol.Span) == true)
        {
            await next(connection);
            return;
        }

        var raw = connection.Transport;
        var takeover = new Takeover(raw);
        connection.Features.Set<IConnectionTakeoverFeature>(takeover);
        connection.Transport = takeover.Server;
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = raw;
        }

        if (takeover.IsTaken && connection.Features.Get<ISslStreamFeature>() is { } tls && !connection.ConnectionClosed.IsCancellationRequested)
        {
            try
            {
                await tls.SslStream.ShutdownAsync();
            }
            catch (Exception e) when (e is IOException or InvalidOperationException)
            {
                // The other side was faster.
            }
        }
    }

    private sealed class Takeover(IDuplexPipe raw) : IConnectionTakeoverFeature
    {
        private readonly TakeoverReader _reader = new(raw.Input);
        private readonly TakeoverWriter _writer = new(raw.Output);
        private int _taken;

        public IDuplexPipe Server => new Pipes(_reader, _writer);

        public bool IsTaken => Volatile.Read(ref _taken) != 0;

        public IDuplexPipe TakeOver()
        {
            if (Interlocked.Exchange(ref _taken, 1) != 0)
                throw new InvalidOperationException("The connection has been taken over already.");
            _reader.Take();
            _writer.Take();
            return raw;
        }
    }

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
