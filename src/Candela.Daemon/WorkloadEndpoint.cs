using Candela.Controller.Api;
using Candela.Controller.Api.Access;
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

/// <summary>The SPIFFE Workload API and decisions about peers, for what comes from containers over their agents' channels and from nowhere else.</summary>
internal sealed class WorkloadEndpoint : IAsyncDisposable
{
    private readonly WebApplication _application;

    private WorkloadEndpoint(WebApplication application, AttestedConnections connections, AttestedConnections plain) =>
        (_application, Connections, PlainConnections) = (application, connections, plain);

    /// <summary>Takes those that speak HTTP/2.</summary>
    public AttestedConnections Connections { get; }

    /// <summary>Takes those that speak HTTP/1.1.</summary>
    public AttestedConnections PlainConnections { get; }

    /// <summary>Begins to serve.</summary>
    public static async Task<WorkloadEndpoint> StartAsync(
        TrustHost trust, IAuditSink audit, Action<ILoggingBuilder> log, Action<IServiceCollection> addServices, CancellationToken cancellationToken)
    {
        var connections = new AttestedConnections();
        var plain = new AttestedConnections(AttestedConnections.PlainEndPoint);
        WebApplicationBuilder builder = DaemonHost.NewBuilder();
        log(builder.Logging);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(AttestedConnections.EndPoint, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(AttestedConnections.PlainEndPoint, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(connections).AddSingleton<IConnectionListenerFactory>(plain).AddSingleton(audit).AddTrust(trust);
        addServices(builder.Services);
        builder.Services.AddControllerApi();
        WebApplication application = builder.Build();
        application.UseWorkloadCallers(trust.Workloads);
        application.MapWorkloadApi();
        application.MapPeerDecisions();
        await application.StartAsync(cancellationToken);
        return new WorkloadEndpoint(application, connections, plain);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
