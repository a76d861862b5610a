using Candela.Identity.Accounts;
using Candela.Identity.Storage;
using Candela.State;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Candela.Identity;

/// <summary>Registration of identity.</summary>
public static class IdentityServices
{
    /// <summary>
    /// Adds <see cref="IDirectory"/> and <see cref="IdentityHost"/>, which must be started first. <see cref="IStateStore"/> and logging are
    /// the caller's to add.
    /// </summary>
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IdentityReplica>();
        services.AddSingleton<PosixNumbers>();
        services.AddSingleton<StoredDirectory>();
        services.AddSingleton<IDirectory>(provider => provider.GetRequiredService<StoredDirectory>());
        services.AddSingleton(provider => new IdentityHost(provider.GetRequiredService<IdentityReplica>(), provider.GetRequiredService<StoredDirectory>()));
        return services;
    }
}
