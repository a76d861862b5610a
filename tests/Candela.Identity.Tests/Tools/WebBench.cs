using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Candela.Identity.Tests.Tools;

/// <summary>A Kestrel on a port of 127.0.0.1, by default a free one.</summary>
public sealed class WebBench : IAsyncDisposable
{
    private readonly WebApplication _application;

    private WebBench(WebApplication application)
    {
        _application = application;
        Address = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    /// <summary>Such as <c>http://127.0.0.1:4711</c>.</summary>
    public Uri Address { get; }

    public static async Task<WebBench> StartAsync(
        Action<IServiceCollection> services, Action<WebApplication> map, Action<ListenOptions>? listen = null, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, port, options => listen?.Invoke(options)));
        services(builder.Services);
        var application = builder.Build();
        map(application);
        await application.StartAsync();
        return new WebBench(application);
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();
}
