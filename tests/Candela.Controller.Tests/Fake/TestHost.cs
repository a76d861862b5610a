using Candela.State;
using Candela.State.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Tests.Fake;

/// <summary>A host on which daemons come and go.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<TestDaemon> _daemons = [];
    private SqliteStateStore? _store;

    public ManualTimeProvider Time { get; } = new();

    public FakeHost Machine { get; init; } = new();

    public FakeImageStore Images { get; } = new();

    public string AuditLog => _folder.File("audit.log");

    public Func<ControllerOptions, ControllerOptions> Adjust { get; set; } = static options => options;

    public async Task<TestDaemon> StartDaemonAsync()
    {
        var daemon = await OpenDaemonAsync();
        await daemon.StartAsync();
        return daemon;
    }

    /// <summary>A daemon that is yet to be started; a former one is dead from now on.</summary>
    public async Task<TestDaemon> OpenDaemonAsync()
    {
        if (_daemons.LastOrDefault() is { } former)
            former.Kill.KillNow();
        if (_store is not null)
            await _store.DisposeAsync();
        _store = SqliteStateStore.Open(_folder.File("state.db"), TimeProvider.System);
        var daemon = new TestDaemon(this, _store, Adjust(new ControllerOptions { StateFolder = _folder.Path, RunFolder = _folder.Path, ImageFolder = _folder.Path }));
        _daemons.Add(daemon);
        return daemon;
    }

    public async Task<IReadOnlyList<string>> StoredKeysAsync() =>
        [.. (await _store!.RangeAsync("/projects/default/", null, StateLimits.PageCount, CancellationToken.None)).Entries.Select(entry => entry.Key)];

    public async ValueTask DisposeAsync()
    {
        if (_daemons.LastOrDefault() is { } last && !last.Kill.Killed.IsCompleted)
            await last.DisposeAsync();
        if (_store is not null)
            await _store.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>A daemon's Controller.</summary>
internal sealed class TestDaemon : IAsyncDisposable
{
    private readonly ServiceProvider _provider;

    public TestDaemon(TestHost host, IStateStore store, ControllerOptions options)
    {
        Store = new KillableStore(store, Kill);
        Machine = new FakeMachine(host.Machine, Kill, host.Time);
        _provider = new ServiceCollection()
            .AddLogging()
            .AddSingleton<TimeProvider>(host.Time)
            .AddSingleton<IStateStore>(Store)
            .AddSingleton<Candela.Machine.IMachine>(Machine)
            .AddSingleton<Candela.Images.IImageStore>(host.Images)
            .AddSingleton<Candela.Storage.IVolumeDisks>(new Candela.Storage.VolumeDisks(Path.Combine(options.StateFolder, "volumes")))
            .AddController(options)
            .BuildServiceProvider();
    }

    public KillSwitch Kill { get; } = new();

    public KillableStore Store { get; }

    public FakeMachine Machine { get; }

    public IImageService Images => _provider.GetRequiredService<IImageService>();

    public IVolumeService Volumes => _provider.GetRequiredService<IVolumeService>();

    public IMachineService Machines => _provider.GetRequiredService<IMachineService>();

    public INetworkService Networks => _provider.GetRequiredService<INetworkService>();

    public INetworkPolicyService Policies => _provider.GetRequiredService<INetworkPolicyService>();

    public IFlowService Flows => _provider.GetRequiredService<IFlowService>();

    public IContainerService Containers => _provider.GetRequiredService<IContainerService>();

    public Task StartAsync() => _provider.GetRequiredService<ControllerHost>().StartAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _provider.GetRequiredService<ControllerHost>().DisposeAsync();
        await _provider.DisposeAsync();
    }
}
