using Candela.Controller;
using Candela.Controller.Api;
using Candela.Controller.Api.Tasks;
using Candela.Controller.Transport;
using Candela.Docker;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.Federation;
using Candela.Identity.Kerberos;
using Candela.Identity.Saml;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Candela.Daemon;

/// <summary>The process: two sockets, HTTPS and Docker by TLS where wanted, in front of one <see cref="Platform"/>.</summary>
internal static class DaemonHost
{
    /// <summary>How long the reason of a failed start can be asked for before the process ends.</summary>
    private static readonly TimeSpan FailureTime = TimeSpan.FromSeconds(3);

    /// <summary>How long open streams may go on after the signal to end.</summary>
    private static readonly TimeSpan ShutdownTime = TimeSpan.FromSeconds(2);

    /// <summary>Runs until a signal ends it.</summary>
    /// <returns>Exit code.</returns>
    public static async Task<int> RunAsync(DaemonOptions options)
    {
        Directory.CreateDirectory(options.RunFolder);
        using PidFile pidFile = PidFile.Take(Path.Combine(options.RunFolder, "candelad.pid"));
        using ILoggerFactory loggers = LoggerFactory.Create(logging => Configure(logging, options));
        await using var platform = new Platform(options, loggers);
        await using WebApplication rest = BuildRest(options, platform);
        await rest.StartAsync();
        CancellationToken stopping = rest.Lifetime.ApplicationStopping;
        try
        {
            await platform.PrepareAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception) when (platform.Error is not null)
        {
            await Task.WhenAny(Task.Delay(FailureTime), rest.WaitForShutdownAsync());
            return 1;
        }

        TaskList tasks = rest.Services.GetRequiredService<TaskList>();
        await using WebApplication docker = BuildDocker(options, platform, tasks, NewBuilder(options, "docker.sock"));
        await docker.StartAsync();
        await using WebApplication? dockerTls = platform.DockerDoor is { } door ? BuildDocker(options, platform, tasks, door) : null;
        if (dockerTls is not null)
            await dockerTls.StartAsync();
        await using WebApplication? https = platform.FrontDoor?.Build(options.Https!, logging => Configure(logging, options), services =>
        {
            AddServices(services, platform);
            services.AddSingleton(tasks);
        });
        if (https is not null)
            await https.StartAsync();
        platform.Open();
        Task ended = Task.WhenAll(rest.WaitForShutdownAsync(), docker.WaitForShutdownAsync(), dockerTls?.WaitForShutdownAsync() ?? Task.CompletedTask, https?.WaitForShutdownAsync() ?? Task.CompletedTask);
        if (await Task.WhenAny(ended, platform.Disowned) == ended)
            return 0;
        rest.Lifetime.StopApplication();
        docker.Lifetime.StopApplication();
        dockerTls?.Lifetime.StopApplication();
        https?.Lifetime.StopApplication();
        await ended;
        return 1;
    }

    private static WebApplication BuildRest(DaemonOptions options, Platform platform)
    {
        WebApplicationBuilder builder = NewBuilder(options, "candela.sock");
        AddServices(builder.Services, platform);
        builder.Services.AddControllerApi();
        WebApplication app = builder.Build();
        app.MapControllerApi();
        return app;
    }

    private static WebApplication BuildDocker(DaemonOptions options, Platform platform, TaskList tasks, DockerDoor door)
    {
        WebApplicationBuilder builder = NewBuilder(options);
        door.Listen(builder, options.DockerTls!);
        return BuildDocker(options, platform, tasks, builder, door.Guard);
    }

    private static WebApplication BuildDocker(DaemonOptions options, Platform platform, TaskList tasks, WebApplicationBuilder builder, Action<IApplicationBuilder>? guard = null)
    {
        AddServices(builder.Services, platform);
        builder.Services.AddSingleton(tasks);
        builder.Services.AddDockerApi(api =>
        {
            api.Version = Platform.ProductVersion;
            api.DefaultNetwork = options.DefaultNetwork ?? (platform.Service<INetworkService>().IsAvailable ? INetworkService.DefaultName : "none");
        });
        WebApplication app = builder.Build();
        guard?.Invoke(app);
        app.MapDockerApi();
        return app;
    }

    private static WebApplicationBuilder NewBuilder(DaemonOptions options, string socket)
    {
        WebApplicationBuilder builder = NewBuilder(options);
        builder.Services.AddHalfOpenUnixSockets(sockets => sockets.Group = options.Group);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Path.Combine(options.RunFolder, socket)));
        return builder;
    }

    private static WebApplicationBuilder NewBuilder(DaemonOptions options)
    {
        WebApplicationBuilder builder = NewBuilder();
        Configure(builder.Logging, options);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTime);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // images and archives; JSON bodies have limits of their own
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
        });
        return builder;
    }

    /// <summary>A server that watches no configuration files: a host has few watches to give.</summary>
    public static WebApplicationBuilder NewBuilder() =>
        WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"], ContentRootPath = "/" });

    /// <summary>Adds what front ends work with.</summary>
    public static void AddServices(IServiceCollection services, Platform platform)
    {
        services.AddSingleton<IPlatformStatus>(platform);
        services.AddSingleton<IContainerService>(_ => platform.Service<IContainerService>());
        services.AddSingleton<IImageService>(_ => platform.Service<IImageService>());
        services.AddSingleton<IMachineService>(_ => platform.Service<IMachineService>());
        services.AddSingleton<INetworkService>(_ => platform.Service<INetworkService>());
        services.AddSingleton<INetworkPolicyService>(_ => platform.Service<INetworkPolicyService>());
        services.AddSingleton<IFlowService>(_ => platform.Service<IFlowService>());
        services.AddSingleton<IVolumeService>(_ => platform.Service<IVolumeService>());
        services.AddSingleton<IDirectory>(_ => platform.Service<IDirectory>());
        services.AddSingleton<IAccessPolicy>(_ => platform.Service<IAccessPolicy>());
        services.AddSingleton(_ => platform.Service<AccessGuard>());
        services.AddSingleton(_ => platform.Peers);
        services.TryAddSingleton(_ => platform.Certificates);
        services.AddSingleton(_ => platform.Service<DirectoryAdministration>());
        services.AddSingleton(_ => platform.Service<PolicyAdministration>());
        services.AddSingleton(_ => platform.Service<ClientAdministration>());
        services.AddSingleton(_ => platform.Service<SelfService>());
        services.AddSingleton(_ => platform.Service<KerberosAdministration>());
        services.AddSingleton(_ => platform.Service<FederationAdministration>());
        services.AddSingleton(_ => platform.Service<SamlAdministration>("SAML needs the HTTPS front door: start candelad with --https"));
    }

    /// <summary>Where log lines go, and which.</summary>
    public static void Configure(ILoggingBuilder logging, DaemonOptions options)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(options.LogLevel);
        logging.AddFilter("Microsoft", options.LogLevel > LogLevel.Warning ? options.LogLevel : LogLevel.Warning);
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        });
    }
}
