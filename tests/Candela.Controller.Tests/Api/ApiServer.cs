using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Candela.Cli.Http;
using Candela.Controller.Api;
using Candela.Controller.Tests.Api.Identity;
using Candela.Controller.Tests.Api.Networks;
using Candela.Docker.Tests.Fake;
using Candela.Docker.Tests.Transport;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Tests.Api;

/// <summary>The REST endpoint over fakes, and clients to drive it.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly SocketServer _server;

    private ApiServer(SocketServer server, FakeContainerService containers, FakeImageService images, FakePlatform platform, FakeMachine machine, TestIdentity identity, TestNetworks networks)
    {
        (_server, Containers, Images, Platform, Machine, Identity, Networks) = (server, containers, images, platform, machine, identity, networks);
        Http = new HttpClient(new SocketsHttpHandler { ConnectCallback = async (_, cancellationToken) => new NetworkStream(await ConnectAsync(cancellationToken), ownsSocket: true) })
        {
            BaseAddress = new Uri("http://candela"),
            Timeout = Deadline,
        };
    }

    public FakeContainerService Containers { get; }

    public FakeImageService Images { get; }

    public FakePlatform Platform { get; }

    public FakeMachine Machine { get; }

    public TestIdentity Identity { get; }

    public TestNetworks Networks { get; }

    public HttpClient Http { get; }

    public string SocketPath => _server.SocketPath;

    public IServiceProvider Services => _server.Services;

    public static async Task<ApiServer> StartAsync(Action<IServiceCollection>? services = null)
    {
        var images = new FakeImageService();
        var containers = new FakeContainerService(images);
        var platform = new FakePlatform();
        var machine = new FakeMachine();
        var identity = new TestIdentity();
        var networks = new TestNetworks();
        var server = await SocketServer.StartAsync(
            app => app.MapControllerApi(),
            all =>
            {
                all.AddSingleton<IContainerService>(containers)
                    .AddSingleton<IImageService>(images)
                    .AddSingleton<IMachineService>(machine)
                    .AddSingleton<IPlatformStatus>(platform)
                    .AddControllerApi();
                identity.AddTo(all);
                networks.AddTo(all);
                services?.Invoke(all);
            });
        return new ApiServer(server, containers, images, platform, machine, identity, networks);
    }

    /// <summary>A client as the command line has it.</summary>
    public DaemonClient Client() => new(SocketPath);

    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken = default)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancellationToken);
        return socket;
    }

    /// <summary>Creates a container that runs a shell script.</summary>
    public async Task<string> CreateAsync(string script, string more = "")
    {
        var response = await Http.PostAsync("/v1/containers", Json(
            $$$"""{"spec":{"image":"candela/base","command":["sh","-c","{{{script}}}"]{{{more}}}}}"""));
        Assert.Equal(System.Net.HttpStatusCode.Created, response.StatusCode);
        return (string)(await response.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
    }

    public async Task<string> RunAsync(string script, string more = "")
    {
        var id = await CreateAsync(script, more);
        (await Http.PostAsync($"/v1/containers/{id}/start", null)).EnsureSuccessStatusCode();
        return id;
    }

    public static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");

    /// <summary>Asserts that an answer is a problem and gives it.</summary>
    public static async Task<JsonNode> ProblemAsync(HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonNode.Parse(text)!;
        Assert.Equal(status, (int)problem["status"]!);
        Assert.Equal(code, (string)problem["code"]!);
        Assert.NotEmpty((string)problem["title"]!);
        Assert.NotEmpty((string)problem["detail"]!);
        return problem;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Containers.Dispose();
        await _server.DisposeAsync();
        await Identity.DisposeAsync();
        await Networks.DisposeAsync();
    }
}
