using Candela.Controller.Tests.Fake;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Tests.Api.Networks;

/// <summary>The real services of networks over a machine that runs nothing; begins when it is first asked for, since most tests do without.</summary>
internal sealed class TestNetworks : IAsyncDisposable
{
    private readonly TestHost _host = new() { Machine = new FakeHost { HasNetworks = true } };
    private readonly Lazy<TestDaemon> _daemon;

    // Services are made by factories that cannot wait otherwise.
    public TestNetworks() => _daemon = new Lazy<TestDaemon>(() => Task.Run(_host.StartDaemonAsync).GetAwaiter().GetResult());

    /// <summary>The daemon that has them.</summary>
    public TestDaemon Daemon => _daemon.Value;

    public FakeFlows Flows => _host.Machine.Flows;

    public void AddTo(IServiceCollection services) => services
        .AddSingleton<INetworkService>(_ => Daemon.Networks)
        .AddSingleton<INetworkPolicyService>(_ => Daemon.Policies)
        .AddSingleton<IFlowService>(_ => Daemon.Flows);

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
