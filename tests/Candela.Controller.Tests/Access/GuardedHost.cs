using System.Net.Sockets;
using Candela.Controller.Api;
using Candela.Controller.Api.Access;
using Candela.Controller.Tests.Fake;
using Candela.Docker;
using Candela.Docker.Tests.Fake;
using Candela.Docker.Tests.Transport;
using Candela.Identity;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Certificates.Administration;
using Candela.Identity.Federation;
using Candela.Identity.Kerberos;
using Candela.Images;
using Candela.Machine;
using Candela.State;
using Candela.State.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Tests.Access;

/// <summary>Both front ends over the real controller and the real identity, on a machine that runs nothing. Who calls is said by a header.</summary>
internal sealed class GuardedHost : IAsyncDisposable
{
    public const string ActorHeader = "Test-Actor";

    private readonly TemporaryFolder _folder = new();
    private readonly ServiceProvider _provider;
    private SocketServer _rest = null!;
    private SocketServer _docker = null!;

    private GuardedHost()
    {
        var options = new ControllerOptions { StateFolder = _folder.Path, RunFolder = _folder.Path, ImageFolder = _folder.Path };
        _provider = new ServiceCollection()
            .AddLogging()
            .AddSingleton<IStateStore>(_ => SqliteStateStore.Open(_folder.File("state.db"), TimeProvider.System))
            .AddSingleton<IMachine>(new FakeMachine(new FakeHost(), new KillSwitch(), TimeProvider.System))
            .AddSingleton<IImageStore>(new FakeImageStore())
            .AddSingleton<Candela.Storage.IVolumeDisks>(new Candela.Storage.VolumeDisks(_folder.File("volumes")))
            .AddController(options)
            .AddIdentity(new IdentityOptions { Folder = _folder.File("identity"), PasswordCost = new PasswordCost(64, 1, 1) })
            .BuildServiceProvider();
    }

    public string AuditLog => File.ReadAllText(_folder.File("audit.log"));

    public IDirectory Directory => Service<IDirectory>();

    public IAccessPolicy Policy => Service<IAccessPolicy>();

    public IEnumerable<(RouteEndpoint Endpoint, bool IsDocker)> Routes =>
        Endpoints(_rest).Select(endpoint => (endpoint, false)).Concat(Endpoints(_docker).Select(endpoint => (endpoint, true)));

    public static async Task<GuardedHost> StartAsync()
    {
        var host = new GuardedHost();
        await host.Service<IdentityHost>().StartAsync(CancellationToken.None);
        await host.Directory.EnsureTenantDomainAsync(ControllerHost.DefaultTenant, CancellationToken.None);
        await host.Service<IdentityHost>().EnsureLocalAccountAsync(ControllerHost.DefaultTenant, ControllerHost.DefaultProject, CancellationToken.None);
        await host.Service<ControllerHost>().StartAsync(CancellationToken.None);
        host._rest = await SocketServer.StartAsync(
            app =>
            {
                app.Use(host.NameActor);
                app.MapControllerApi();
            },
            services => host.AddTo(services).AddControllerApi());
        host._docker = await SocketServer.StartAsync(
            app =>
            {
                app.Use(host.NameActor);
                app.MapDockerApi();
            },
            services => host.AddTo(services).AddDockerApi());
        return host;
    }

    public T Service<T>()
        where T : notnull => _provider.GetRequiredService<T>();

    public HttpClient Client(bool docker, string? actor)
    {
        var path = (docker ? _docker : _rest).SocketPath;
        var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://candela"),
            Timeout = TimeSpan.FromSeconds(60),
        };
        if (actor is not null)
            client.DefaultRequestHeaders.Add(ActorHeader, actor);
        return client;
    }

    /// <summary>Makes a user of the system domain.</summary>
    public Task<User> AddUserAsync(string name, uint uid = 0) => Directory.CreateAsync(
        new User { DomainId = Directory.Current.SystemDomain.Id, Name = name, Posix = new PosixAccount { UidNumber = uid } }, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _rest.DisposeAsync();
        await _docker.DisposeAsync();
        await Service<ControllerHost>().DisposeAsync();
        await Service<IdentityHost>().DisposeAsync();
        await _provider.DisposeAsync();
        _folder.Dispose();
    }

    private static IEnumerable<RouteEndpoint> Endpoints(SocketServer server) => server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>();

    private IServiceCollection AddTo(IServiceCollection services) => services
        .AddSingleton<IPlatformStatus>(new FakePlatform())
        .AddSingleton(Service<IContainerService>())
        .AddSingleton(Service<IImageService>())
        .AddSingleton(Service<IMachineService>())
        .AddSingleton(Service<INetworkService>())
        .AddSingleton(Service<INetworkPolicyService>())
        .AddSingleton(Service<IFlowService>())
        .AddSingleton(Service<IVolumeService>())
        .AddSingleton(Service<KerberosAdministration>())
        .AddSingleton(Service<FederationAdministration>())
        .AddSingleton(new CertificateAdministration(null!, Service<AccessGuard>()))
        .AddSingleton(Directory)
        .AddSingleton(Policy)
        .AddSingleton(Service<AccessGuard>())
        .AddSingleton(Service<DirectoryAdministration>())
        .AddSingleton(Service<PolicyAdministration>())
        .AddSingleton(Service<ClientAdministration>())
        .AddSingleton(Service<SelfService>());

    private Task NameActor(Microsoft.AspNetCore.Http.HttpContext context, Func<Task> next)
    {
        if (context.Request.Headers[ActorHeader].ToString() is { Length: > 0 } name)
        {
            var system = Directory.Current.SystemDomain;
            context.Features.Set<IActorFeature>(new KnownActor(Actor.Of(Directory.Current.Find(system.Id, name)!, system, "192.0.2.1")));
        }

        return next();
    }

    private sealed record KnownActor(Actor Actor) : IActorFeature;
}
