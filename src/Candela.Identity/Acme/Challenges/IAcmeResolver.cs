using System.Net;
using System.Net.Sockets;

namespace Candela.Identity.Acme.Challenges;

/// <summary>Says at which addresses the host of a name is looked for, when it must prove that it has the name.</summary>
public interface IAcmeResolver
{
    /// <summary>Addresses of a name; none: it has none that may be connected to.</summary>
    Task<IReadOnlyList<IPAddress>> ResolveAsync(string name, CancellationToken cancellationToken);
}

/// <summary>Asks the resolver of this computer. Addresses of the computer itself, and such as belong to no one host, are left out: a name must not lead to the platform's own insides.</summary>
public sealed class SystemAcmeResolver : IAcmeResolver
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return [.. (await Dns.GetHostAddressesAsync(name, cancellationToken)).Where(IsElsewhere)];
        }
        catch (SocketException)
        {
            return [];
        }
    }

    internal static bool IsElsewhere(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return IsElsewhere(address.MapToIPv4());
        var bytes = address.GetAddressBytes();
        return !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal && !address.IsIPv6Multicast && !address.Equals(IPAddress.IPv6Any) &&
            (bytes.Length != 4 || bytes[0] is not (0 or >= 224) && (bytes[0], bytes[1]) != (169, 254));
    }
}
