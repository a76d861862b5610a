namespace Candela.Vmm.Tests.Nested;

/// <summary>A nested host that the tests of a class share.</summary>
public sealed class NestedHostFixture : IAsyncLifetime
{
    internal NestedHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await NestedHost.StartAsync();

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
