using System.Net;

namespace Candela.Images.Registry;

/// <summary>The proxy of the environment (HTTPS_PROXY, NO_PROXY, …), but never for loopback, as Docker does it.</summary>
internal sealed class LoopbackBypassingProxy(IWebProxy proxy) : IWebProxy
{
    /// <inheritdoc/>
    public ICredentials? Credentials { get => proxy.Credentials; set => proxy.Credentials = value; }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => proxy.GetProxy(destination);

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => RegistryOptions.IsLoopback(host.IdnHost) || proxy.IsBypassed(host);
}
