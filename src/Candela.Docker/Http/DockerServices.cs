using Candela.Controller;
using Candela.Controller.Api;
using Candela.Controller.Api.Access;
using Candela.Controller.Api.Tasks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Candela.Docker.Http;

/// <summary>What handlers work with.</summary>
internal sealed class DockerServices(
    IContainerService containers,
    IImageService images,
    IMachineService machine,
    INetworkService networks,
    IVolumeService volumes,
    IPlatformStatus platform,
    CallerResolver callers,
    RouteGuard guard,
    TaskList tasks,
    IOptions<DockerApiOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<DockerServices> logger)
{
    public IContainerService Containers { get; } = containers;

    public IImageService Images { get; } = images;

    public IMachineService Machine { get; } = machine;

    public INetworkService Networks { get; } = networks;

    public IVolumeService Volumes { get; } = volumes;

    public DockerApiOptions Options { get; } = options.Value;

    public TimeProvider Time { get; } = time;

    public ILogger Logger { get; } = logger;

    public IPlatformStatus Platform { get; } = platform;

    public TaskList Tasks { get; } = tasks;

    public CallerResolver Callers { get; } = callers;

    public RouteGuard Guard { get; } = guard;

    /// <summary>The daemon is about to stop: streams end.</summary>
    public CancellationToken Stopping { get; } = lifetime.ApplicationStopping;
}
