using Candela.Identity.Auditing;
using Candela.Identity.Kerberos;
using Candela.Identity.Ldap.Access;
using Candela.Identity.Ldap.Operations;
using Candela.Identity.Ldap.Search;
using Candela.Identity.Ldap.Server;
using Candela.Identity.Ldap.Writing;
using Candela.Identity.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Ldap;

/// <summary>Registration of the LDAP server.</summary>
public static class LdapRegistration
{
    /// <summary>
    /// Adds <see cref="LdapServer"/> to what <see cref="IdentityServices.AddIdentity"/> adds; to be started after <see cref="IdentityHost"/>. With
    /// an <see cref="Authentication.IClientCertificates"/> among the services, clients can bind by certificate; with Kerberos, by ticket.
    /// </summary>
    public static IServiceCollection AddLdap(this IServiceCollection services, LdapOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton<ProtocolAudit>();
        services.AddSingleton<AttributeIndex>();
        services.AddSingleton<IReplicaIndex>(provider => provider.GetRequiredService<AttributeIndex>());
        services.AddSingleton<ReadGuard>();
        services.AddSingleton<NodeFinder>();
        services.AddSingleton<ScanGate>();
        services.AddSingleton<SearchOperation>();
        services.AddSingleton<PasswordCheck>();
        services.AddSingleton<PasswordService>();
        services.AddSingleton<BindOperation>();
        services.AddSingleton<CompareOperation>();
        services.AddSingleton<WriteOperations>();
        services.AddSingleton<PasswordModify>();
        services.AddSingleton<ExtendedOperations>();
        services.AddSingleton(provider => new LdapServer(new LdapServices(
            provider.GetRequiredService<SearchOperation>(),
            provider.GetRequiredService<BindOperation>(),
            provider.GetRequiredService<CompareOperation>(),
            provider.GetRequiredService<WriteOperations>(),
            provider.GetRequiredService<ExtendedOperations>(),
            options,
            provider.GetService<TicketAcceptor>() is not null,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<LdapServer>>())));
        return services;
    }
}
