using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Candela.Cli.Http;

/// <summary>TLS 1.2 or 1.3 over TCP, to a server whose certificate is verified.</summary>
internal sealed class TlsTransport : Transport
{
    private const int KeepAliveSeconds = 30;

    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(10);

    private readonly Socket socket;
    private readonly SslStream stream;

    private TlsTransport(Socket socket, SslStream stream) => (this.socket, this.stream) = (socket, stream);

    /// <param name="url">Host and port.</param>
    /// <param name="roots">Whom to trust; null: whom this host trusts.</param>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    /// <exception cref="AuthenticationException">It is not the server that was asked for.</exception>
    /// <exception cref="IOException">It does not speak TLS.</exception>
    public static TlsTransport Connect(Uri url, X509Certificate2Collection? roots)
    {
        // No options before it is connected: then it could try one address only.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            using (var limit = new CancellationTokenSource(ConnectTime))
            {
                try
                {
                    socket.ConnectAsync(url.DnsSafeHost, url.Port, limit.Token).AsTask().GetAwaiter().GetResult();
                }
                catch (OperationCanceledException)
                {
                    throw new SocketException((int)SocketError.TimedOut);
                }
            }

            socket.NoDelay = true;
            // A follower of logs may wait for days, and must notice when the other side is gone.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
            var stream = new SslStream(new NetworkStream(socket, ownsSocket: false));
            stream.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = url.DnsSafeHost,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ApplicationProtocols = [SslApplicationProtocol.Http11],
                CertificateChainPolicy = Policy(roots),
            });
            return new TlsTransport(socket, stream);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override int Receive(Span<byte> destination)
    {
        try
        {
            return stream.Read(destination);
        }
        catch (IOException exception) when (exception.InnerException is SocketException reason)
        {
            throw new SocketException((int)reason.SocketErrorCode);
        }
        catch (IOException exception) when (exception is not EndOfStreamException)
        {
            throw new EndOfStreamException("the connection was cut: " + exception.Message, exception);
        }
    }

    public override void SendAll(ReadOnlySpan<byte> data)
    {
        try
        {
            stream.Write(data);
        }
        catch (IOException exception)
        {
            throw new SocketException((int)((exception.InnerException as SocketException)?.SocketErrorCode ?? SocketError.ConnectionReset));
        }
    }

    public override void Shutdown() => Shutdown(socket);

    public override void Dispose()
    {
        stream.Dispose();
        socket.Dispose();
    }

    private static X509ChainPolicy Policy(X509Certificate2Collection? roots)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (roots is null)
            return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(roots);
        return policy;
    }
}
