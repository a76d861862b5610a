using System.IO.Pipelines;
using System.Net.Sockets;
using Candela.Identity.Auditing;
using Candela.Identity.Tests.Tools;
using Candela.Identity.Workloads;
using Candela.Identity.Workloads.Api;
using Candela.Identity.Workloads.Api.Messages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Identity.Tests.Workloads;

/// <summary>
/// The Workload API behind one Unix socket for each container, as the guest's channel will serve it: who connects is said by the socket.
/// </summary>
public abstract class WorkloadApiBench(TimeProvider? time = null) : WorkloadBench(time)
{
    private readonly CancellationTokenSource _closing = new();
    private readonly List<Task> _relays = [];
    private WebApplication _application = null!;

    protected TrustDomain Domain { get; private set; } = null!;

    protected AttestedConnections Connections { get; } = new();

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Domain = await TrustDomain.OpenAsync(Store, Secrets, Authority, Workloads, WorkloadOptions, Time, NullLogger<TrustDomain>.Instance, Token);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(AttestedConnections.EndPoint, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddSingleton<IConnectionListenerFactory>(Connections).AddSingleton(Domain).AddSingleton(Authority).AddSingleton(Time).AddSingleton(new ProtocolAudit(Audit, Time));
        _application = builder.Build();
        _application.MapWorkloadApi();
        await _application.StartAsync(Token);
        await File.WriteAllBytesAsync(Folder.File("workload.desc"), X509SVIDRequest.Descriptor.File.SerializedData.ToByteArray(), Token);
    }

    public override async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await Task.WhenAll(_relays).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _application.DisposeAsync();
        await Domain.DisposeAsync();
        _closing.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>The socket in a container's guest.</summary>
    protected string SocketOf(string container)
    {
        var path = Folder.File($"{container}.sock");
        if (File.Exists(path))
            return path;
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        _relays.Add(AcceptAsync(listener, container));
        return path;
    }

    /// <summary>One JSON line a message, or the status.</summary>
    protected async Task<string[]> CallAsync(string container, string method, string request = "{}", int count = 1, string header = "true")
    {
        var output = await Tool.RunAsync("/usr/bin/python3", Folder.Path, Arguments(container, method, request, count, header));
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A call whose messages are read as they come.</summary>
    protected LineClient StartCall(string container, string method, int count) => new("/usr/bin/python3", Folder.Path, Arguments(container, method, "{}", count, "true"));

    private string[] Arguments(string container, string method, string request, int count, string header) =>
        [Path.Combine(AppContext.BaseDirectory, "Workloads/workload_client.py"), SocketOf(container), "workload.desc", method, $"{count}", header, request];

    private async Task AcceptAsync(Socket listener, string container)
    {
        using (listener)
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(_closing.Token);
                _relays.Add(ServeAsync(socket, container));
            }
        }
    }

    private async Task ServeAsync(Socket socket, string container)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        await Connections.ServeAsync(container, new Duplex(stream), _closing.Token);
    }

    private sealed class Duplex(Stream stream) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));

        public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
    }
}
