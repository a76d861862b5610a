using Candela.Os;

namespace Candela.Vmm.Tests.Nested;

/// <summary>A nested host that the tests of a class share.</summary>
public sealed class NestedHostFixture : IAsyncLifetime
{
    private readonly GuestRoot _image = new();

    /// <summary>Whether the clones' parent was made.</summary>
    internal bool HasParent { get; set; }

    internal NestedHost Host { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Host = await NestedHost.StartAsync(new HostFile("files/image", _image.Path));

    public async ValueTask DisposeAsync()
    {
        if (Host is not null)
            await Host.DisposeAsync();
        _image.Dispose();
    }
}
