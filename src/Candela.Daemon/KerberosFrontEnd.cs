using System.Security.Cryptography;
using System.Text;
using Candela.Identity.Kerberos;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Daemon;

/// <summary>The Kerberos KDC.</summary>
internal static class KerberosFrontEnd
{
    /// <summary>First of the user ids of KDCs: an instance has one by the hash of its run folder. Those of micro-VMs begin above.</summary>
    private const uint FirstUserId = 0x5F00_0000;

    /// <summary>What the command line asks for; null: no Kerberos.</summary>
    public static KerberosOptions? OptionsOf(DaemonOptions options) => options.KerberosRealm is not { } realm ? null : new KerberosOptions
    {
        Realm = realm,
        // In memory, and where the KDC's user may go: the state folder is root's alone.
        Folder = Path.Combine(options.RunFolder, "kdc"),
        Endpoints = [options.Kdc],
        HostNames = [.. options.HostNames.Append(Environment.MachineName.ToLowerInvariant()).Where(name => Uri.CheckHostName(name) == UriHostNameType.Dns).Distinct()],
        UserId = FirstUserId | BitConverter.ToUInt16(SHA256.HashData(Encoding.UTF8.GetBytes(options.RunFolder))),
    };

    /// <summary>Starts it; the directory must have been started.</summary>
    public static async Task<KerberosHost> StartAsync(IServiceProvider provider, CancellationToken cancellationToken)
    {
        var host = provider.GetRequiredService<KerberosHost>();
        await host.StartAsync(cancellationToken);
        return host;
    }
}
