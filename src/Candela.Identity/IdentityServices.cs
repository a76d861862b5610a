using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Federation;
using Candela.Identity.Kerberos;
using Candela.Identity.Kerberos.Keys;
using Candela.Identity.Kerberos.Principals;
using Candela.Identity.Ldif;
using Candela.Identity.OpenIdConnect.Clients;
using Candela.Identity.Secrets;
using Candela.Identity.SignIn;
using Candela.Identity.Storage;
using Candela.State;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Candela.Identity;

/// <summary>Registration of identity.</summary>
public static class IdentityServices
{
    /// <summary>
    /// Adds <see cref="IDirectory"/>, <see cref="IAuthenticator"/>, <see cref="ICredentials"/>, <see cref="IAccessPolicy"/>,
    /// <see cref="IAuthorizer"/>, <see cref="ILdif"/>, for front ends <see cref="DirectoryAdministration"/>,
    /// <see cref="PolicyAdministration"/>, <see cref="ClientAdministration"/>, <see cref="SelfService"/> and <see cref="KerberosAdministration"/>,
    /// <see cref="ISecretBox"/>, and <see cref="IdentityHost"/>, which must be started first. <see cref="IStateStore"/> and logging are the caller's to add, and an <see cref="IAuditSink"/> where the log is not enough.
    /// </summary>
    public static IServiceCollection AddIdentity(this IServiceCollection services, IdentityOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IdentityReplica>();
        services.AddSingleton<DirectoryWriter>();
        services.AddSingleton<PosixNumbers>();
        services.AddSingleton<StoredDirectory>();
        services.AddSingleton<IDirectory>(provider => provider.GetRequiredService<StoredDirectory>());
        services.TryAddSingleton<ISecretBox>(_ => SecretBox.Open(Path.Combine(options.Folder, "secrets.key")));
        services.AddSingleton<IAccessPolicy, StoredAccessPolicy>();
        services.AddSingleton<IAuthorizer, Authorizer>();
        services.AddSingleton<CredentialStore>();
        services.AddSingleton<FailureLedger>();
        services.AddSingleton<AttemptGate>();
        services.AddSingleton<VerifiedPasswords>();
        services.AddSingleton<PasswordKeys>();
        services.AddSingleton<Authenticator>();
        services.AddSingleton<InitialAdministrator>();
        services.AddSingleton<IAuthenticator>(provider => provider.GetRequiredService<Authenticator>());
        services.AddSingleton<ICredentials, StoredCredentials>();
        services.AddSingleton<ILdif, DomainLdif>();
        services.TryAddSingleton<IAuditSink, LoggedAudit>();
        services.AddSingleton(provider => new AccessGuard(provider.GetRequiredService<IAuthorizer>(), provider.GetRequiredService<IAuditSink>()));
        services.AddSingleton<LocalAccount>();
        services.AddSingleton(provider => new DirectoryAdministration(
            provider.GetRequiredService<IDirectory>(),
            provider.GetRequiredService<ICredentials>(),
            provider.GetRequiredService<ILdif>(),
            provider.GetRequiredService<AccessGuard>()));
        services.AddSingleton(provider => new SelfService(
            provider.GetRequiredService<IAuthenticator>(),
            provider.GetRequiredService<ICredentials>(),
            provider.GetRequiredService<AccessGuard>()));
        services.AddSingleton(provider => new KerberosAdministration(
            provider.GetRequiredService<IDirectory>(),
            provider.GetRequiredService<CredentialStore>(),
            provider.GetRequiredService<ISecretBox>(),
            provider.GetRequiredService<AccessGuard>(),
            provider.GetService<ServicePrincipals>(),
            provider.GetService<KerberosOptions>()));
        services.AddSingleton(provider => new PolicyAdministration(
            provider.GetRequiredService<IDirectory>(),
            provider.GetRequiredService<IAccessPolicy>(),
            provider.GetRequiredService<IAuthorizer>(),
            provider.GetRequiredService<AccessGuard>()));
        services.AddFederation();
        services.AddSingleton<ClientStore>();
        services.AddSingleton(provider => new ClientAdministration(
            provider.GetRequiredService<IDirectory>(),
            provider.GetRequiredService<ClientStore>(),
            provider.GetRequiredService<AccessGuard>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetService<SignInOptions>()));
        services.AddSingleton(provider => new IdentityHost(
            provider.GetRequiredService<IdentityReplica>(),
            provider.GetRequiredService<StoredDirectory>(),
            provider.GetRequiredService<InitialAdministrator>(),
            provider.GetRequiredService<LocalAccount>()));
        return services;
    }
}
