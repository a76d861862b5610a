using Candela.Identity.Accounts;
using Candela.Identity.Auditing;
using Candela.Identity.Authentication;
using Candela.Identity.Kerberos.Kdc;
using Candela.Identity.Kerberos.Principals;
using Candela.Identity.Secrets;
using Candela.Identity.SignIn.Pages;
using Candela.Identity.Storage;
using Candela.State;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Kerberos;

/// <summary>Registration of Kerberos.</summary>
public static class KerberosRegistration
{
    /// <summary>Adds <see cref="KerberosHost"/> and <see cref="TicketAcceptor"/>, which must be started after the directory, to what <see cref="IdentityServices.AddIdentity"/> adds; from now on passwords make keys.</summary>
    public static IServiceCollection AddKerberos(this IServiceCollection services, KerberosOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton<ProtocolAudit>();
        services.AddSingleton<ServicePrincipals>();
        services.AddSingleton<KdcLog>();
        services.AddSingleton<ISignInOption, TicketOption>();
        services.AddSingleton(provider => new TicketAcceptor(provider.GetRequiredService<IDirectory>(), options));
        services.AddSingleton(provider => new KerberosHost(
            provider.GetRequiredService<IStateStore>(),
            provider.GetRequiredService<ISecretBox>(),
            provider.GetRequiredService<IdentityReplica>(),
            provider.GetRequiredService<FailureLedger>(),
            provider.GetRequiredService<ServicePrincipals>(),
            provider.GetRequiredService<KdcLog>(),
            options,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<KerberosHost>>()));
        return services;
    }
}
