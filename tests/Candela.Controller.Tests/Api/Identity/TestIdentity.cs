using Candela.Identity;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Federation;
using Candela.Identity.Kerberos;
using Candela.State;
using Candela.State.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Tests.Api.Identity;

/// <summary>Real identity over a store of its own; begins when it is first asked for, since most tests do without.</summary>
internal sealed class TestIdentity : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Lazy<ServiceProvider> _provider;

    public TestIdentity() => _provider = new Lazy<ServiceProvider>(Start);

    public string AdministratorPassword
    {
        get
        {
            _ = _provider.Value;
            return File.ReadAllText(Path.Combine(_folder.File("identity"), "initial-admin-password")).TrimEnd('\n');
        }
    }

    public void AddTo(IServiceCollection services) => services
        .AddSingleton(_ => _provider.Value.GetRequiredService<IDirectory>())
        .AddSingleton(_ => _provider.Value.GetRequiredService<IAccessPolicy>())
        .AddSingleton(_ => _provider.Value.GetRequiredService<AccessGuard>())
        .AddSingleton(_ => _provider.Value.GetRequiredService<FederationAdministration>())
        .AddSingleton(_ => _provider.Value.GetRequiredService<DirectoryAdministration>())
        .AddSingleton(_ => _provider.Value.GetRequiredService<PolicyAdministration>())
        .AddSingleton(_ => _provider.Value.GetRequiredService<ClientAdministration>())
        .AddSingleton(_ => _provider.Value.GetRequiredService<KerberosAdministration>())
        .AddSingleton(_ => _provider.Value.GetRequiredService<SelfService>());

    public async ValueTask DisposeAsync()
    {
        if (_provider.IsValueCreated)
            await _provider.Value.DisposeAsync();
        _folder.Dispose();
    }

    private ServiceProvider Start()
    {
        var provider = new ServiceCollection()
            .AddLogging()
            .AddSingleton<IStateStore>(_ => SqliteStateStore.Open(_folder.File("state.db"), TimeProvider.System))
            .AddIdentity(new IdentityOptions { Folder = _folder.File("identity"), PasswordCost = new PasswordCost(64, 1, 1) })
            .BuildServiceProvider();
        // Services are made by factories that cannot wait otherwise.
        provider.GetRequiredService<IdentityHost>().StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        return provider;
    }
}
