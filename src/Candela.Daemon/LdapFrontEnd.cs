using System.Net;
using System.Security.Cryptography;
using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Certificates;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Ldap;
using Candela.Identity.Secrets;
using Candela.State;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Candela.Daemon;

/// <summary>The LDAP server with a certificate of the platform's own authority.</summary>
internal sealed class LdapFrontEnd(DaemonOptions options) : IAsyncDisposable
{
    private CertificateAuthority? _authority;
    private ServerCertificate? _certificate;
    private LdapServer? _server;

    /// <summary>The command line asks for it.</summary>
    public static bool IsWanted(DaemonOptions options) => options.Ldap is not null || options.Ldaps is not null;

    /// <summary>Adds what it is made of.</summary>
    public void AddTo(IServiceCollection services)
    {
        var endpoints = new List<LdapEndpoint>();
        if (options.Ldap is not null)
            endpoints.Add(new LdapEndpoint(options.Ldap, IsTls: false));
        if (options.Ldaps is not null)
            endpoints.Add(new LdapEndpoint(options.Ldaps, IsTls: true));
        services.AddLdap(new LdapOptions { Endpoints = endpoints, Certificate = () => _certificate!.Current });
        services.AddSingleton<IClientCertificates>(provider => new IssuedClientCertificates(_authority!, provider.GetRequiredService<IDirectory>()));
    }

    /// <summary>Begins to listen; the directory must have been started.</summary>
    public async Task StartAsync(ServiceProvider provider, CancellationToken cancellationToken)
    {
        var time = provider.GetRequiredService<TimeProvider>();
        _authority = await CertificateAuthority.OpenAsync(
            provider.GetRequiredService<IStateStore>(), provider.GetRequiredService<ISecretBox>(), new CertificateAuthorityOptions(), time,
            provider.GetRequiredService<ILogger<CertificateAuthority>>(), cancellationToken);
        _certificate = await ServerCertificate.OpenAsync(
            _authority, $"controller:{Environment.MachineName}", Names(), time, provider.GetRequiredService<ILogger<ServerCertificate>>(), cancellationToken);

        // For clients to trust: they are no secret.
        await File.WriteAllTextAsync(
            Path.Combine(options.RunFolder, "roots.pem"),
            string.Concat(_authority.Roots.Select(root => PemEncoding.WriteString("CERTIFICATE", root.Span) + "\n")), cancellationToken);
        _server = provider.GetRequiredService<LdapServer>();
        _server.Start();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        if (_certificate is not null)
            await _certificate.DisposeAsync();
        if (_authority is not null)
            await _authority.DisposeAsync();
    }

    /// <summary>What clients may call this host. Always its own name, too: libldap means that when it is told localhost.</summary>
    private CertificateNames Names()
    {
        string[] names = [.. options.HostNames, Environment.MachineName.ToLowerInvariant(), "localhost"];
        var addresses = options.HostNames.Select(name => IPAddress.TryParse(name, out var address) ? address : null).OfType<IPAddress>();
        return new CertificateNames
        {
            Dns = [.. names.Where(name => Uri.CheckHostName(name) == UriHostNameType.Dns).Distinct()],
            Addresses = [.. addresses.Concat([IPAddress.Loopback, IPAddress.IPv6Loopback]).Distinct()],
        };
    }
}
