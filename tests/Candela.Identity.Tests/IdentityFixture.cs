using Candela.Identity.Accounts;
using Candela.Identity.Authentication;
using Candela.State;
using Candela.State.Sqlite;
using Candela.Tests.Shared;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Identity.Tests;

/// <summary>Identity over a state store of its own. Several can share one store, as controllers do.</summary>
public sealed class IdentityFixture : IAsyncDisposable
{
    /// <summary>Cheap, so that tests are quick.</summary>
    public static readonly PasswordCost Cost = new(64, 1, 1);

    private readonly TemporaryFolder? _folder;
    private readonly ServiceProvider _services;
    private readonly IStateStore? _owned;

    private IdentityFixture(TemporaryFolder? folder, IStateStore? owned, ServiceProvider services)
    {
        _folder = folder;
        _owned = owned;
        _services = services;
    }

    public ManualTimeProvider Time => (ManualTimeProvider)Get<TimeProvider>();

    public IStateStore Store => Get<IStateStore>();

    public IDirectory Directory => Get<IDirectory>();

    public IAuthenticator Authenticator => Get<IAuthenticator>();

    public ICredentials Credentials => Get<ICredentials>();

    public string Folder => Get<IdentityOptions>().Folder;

    public Guid SystemId => Directory.Current.SystemDomain.Id;

    /// <summary>Starts one with a store of its own, or another controller's over the same store, which may be reached through one of the caller's.</summary>
    public static Task<IdentityFixture> StartAsync(IdentityFixture? beside = null, PasswordCost? cost = null, IStateStore? store = null, Action<IServiceCollection>? more = null)
    {
        var time = beside?.Time ?? new ManualTimeProvider();
        var folder = beside is null ? new TemporaryFolder() : null;
        var owned = folder is null ? null : SqliteStateStore.Open(folder.File("state.db"), time);
        return StartAsync(folder, owned, store ?? beside?.Store ?? owned!, time, beside?.Folder ?? folder!.File("identity"), cost ?? Cost, more);
    }

    /// <summary>Starts one over the caller's store and folder, as after a restart.</summary>
    public static Task<IdentityFixture> StartAsync(string folder, IStateStore store) =>
        StartAsync(null, null, store, new ManualTimeProvider(), Path.Combine(folder, "identity"), Cost, more: null);

    private static async Task<IdentityFixture> StartAsync(
        TemporaryFolder? folder, IStateStore? owned, IStateStore store, ManualTimeProvider time, string identityFolder, PasswordCost cost, Action<IServiceCollection>? more)
    {
        var collection = new ServiceCollection()
            .AddLogging()
            .AddSingleton<TimeProvider>(time)
            .AddSingleton(store)
            .AddIdentity(new IdentityOptions { Folder = identityFolder, PasswordCost = cost });
        more?.Invoke(collection);
        var services = collection.BuildServiceProvider();
        var identity = new IdentityFixture(folder, owned, services);
        try
        {
            await services.GetRequiredService<IdentityHost>().StartAsync(TestContext.Current.CancellationToken);
            return identity;
        }
        catch
        {
            await identity.DisposeAsync();
            throw;
        }
    }

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public Task<User> AddUserAsync(string name) =>
        Directory.CreateAsync(new User { DomainId = SystemId, Name = name }, TestContext.Current.CancellationToken);

    public Task<Group> AddGroupAsync(string name) =>
        Directory.CreateAsync(new Group { DomainId = SystemId, Name = name }, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        if (_owned is not null)
            await _owned.DisposeAsync();
        _folder?.Dispose();
    }
}
