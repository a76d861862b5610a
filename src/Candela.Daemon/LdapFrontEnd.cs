using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.Identity.Certificates;
using Candela.Identity.Ldap;
using Microsoft.Extensions.DependencyInjection;

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
    public void Start(ServiceProvider provider, CertificateAuthority authority, ServerCertificate certificate)
    {
        (_authority, _certificate) = (authority, certificate);
        _server = provider.GetRequiredService<LdapServer>();
        _server.Start();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }
}
