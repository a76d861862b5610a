using Candela.Identity;
using Candela.Identity.Administration;
using Candela.Identity.Workloads.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Candela.Daemon;

/// <summary>The SPIFFE Workload API, for what comes from containers over their agents' channels and from nowhere else.</summary>
internal sealed class WorkloadEndpoint : IAsyncDisposable
{
    private readonly WebApplication _application;

    private WorkloadEndpoint(WebApplication application, AttestedConnections connections) => (_application, Connections) = (application, connections);

    /// <summary>Takes the connections.</summary>
    public AttestedConnections Connections { get; }

    /// <summary>Begins to serve.</summary>
    public static async Task<WorkloadEndpoint> StartAsync(TrustHost trust, IAuditSink audit, Action<ILoggingBuilder> log, CancellationToken cancellationToken)
    {
        var connections = new AttestedConnections();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [], ContentRootPath = "/" });
        log(builder.Logging);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(AttestedConnections.EndPoint, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(connections).AddSingleton(audit).AddTrust(trust);
        WebApplication application = builder.Build();
        application.MapWorkloadApi();
        await application.StartAsync(cancellationToken);
        return new WorkloadEndpoint(application, connections);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
