using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Candela.Cli.Http;

/// <summary>A daemon elsewhere, by HTTPS.</summary>
/// <param name="url">Scheme, host and port.</param>
/// <param name="roots">Whom to trust; null: whom this host trusts.</param>
/// <param name="token">Gives a bearer token that is good for now; null: none, as before one has signed in.</param>
internal sealed class RemoteAddress(Uri url, X509Certificate2Collection? roots, Func<string?> token) : DaemonAddress
{
    public override string Host => url.Authority;

    public override string SignInHint => $"sign in: candela login {this}";

    public override string? Authorization() => token() is { } value ? "Bearer " + value : null;

    public override Transport Connect()
    {
        try
        {
            return TlsTransport.Connect(url, roots);
        }
        catch (SocketException exception)
        {
            throw new DaemonUnreachableException($"cannot reach {this}: {exception.Message}", exception);
        }
        catch (AuthenticationException exception)
        {
            throw new DaemonUnreachableException(
                $"{this} does not prove to be that: {exception.InnerException?.Message ?? exception.Message} If its certificate is of Candela's own authority, fetch roots.pem from its host (/run/candela) and give it by --ca-file (candela login) or CANDELA_CA_FILE",
                exception);
        }
        catch (IOException exception)
        {
            throw new DaemonUnreachableException($"{this} does not speak TLS: {exception.Message}", exception);
        }
    }

    public override string ToString() => url.GetLeftPart(UriPartial.Authority);
}
