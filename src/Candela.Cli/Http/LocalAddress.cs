using System.Net.Sockets;

namespace Candela.Cli.Http;

/// <summary>The daemon on this host, which knows the caller by the socket.</summary>
internal sealed class LocalAddress(string socketPath) : DaemonAddress
{
    public override string Host => "candela";

    public string SocketPath => socketPath;

    public override Transport Connect()
    {
        try
        {
            return UnixTransport.Connect(socketPath);
        }
        catch (SocketException exception)
        {
            throw new DaemonUnreachableException(Explain(exception), exception);
        }
    }

    public override string ToString() => "unix://" + socketPath;

    private string Explain(SocketException exception) => exception.SocketErrorCode switch
    {
        SocketError.AccessDenied => $"no permission to use {socketPath}: run as root or as a member of the socket's group",
        _ => $"cannot reach candelad at {socketPath}: is it running? Start it with 'candela up', or name another one with --host or CANDELA_HOST",
    };
}
