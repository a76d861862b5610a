using Candela.Controller.Api;
using Candela.Controller.Api.Access;
using Candela.Controller.Api.Tasks;
using Candela.Docker.Absent;
using Candela.Docker.Containers;
using Candela.Docker.Engine;
using Candela.Docker.Execs;
using Candela.Docker.Http;
using Candela.Docker.Json;
using Candela.Docker.Images;
using Candela.Docker.Networks;
using Candela.Docker.Volumes;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Candela.Docker;

/// <summary>The Docker Engine API as a front end of the Controller.</summary>
public static class DockerApi
{
    /// <summary>
    /// Registers what the endpoints need besides <c>IContainerService</c>, <c>IImageService</c>, <c>IMachineService</c> and
    /// <see cref="IPlatformStatus"/>.
    /// The connections must come from <see cref="Controller.Transport.HalfOpenUnixSockets"/>.
    /// </summary>
    public static IServiceCollection AddDockerApi(this IServiceCollection services, Action<DockerApiOptions>? configure = null)
    {
        if (configure is not null)
            services.Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<CallerResolver>();
        services.TryAddSingleton<RouteGuard>();
        services.TryAddSingleton<TaskList>();
        services.AddSingleton<DockerServices>();
        return services;
    }

    /// <summary>
    /// Maps the Engine API, with and without version prefix, and answers every other path with Docker's 404: to be mapped where
    /// nothing else is, that is in an application or a branch that serves the Docker socket only.
    /// </summary>
    public static void MapDockerApi(this IEndpointRouteBuilder endpoints)
    {
        var routes = new DockerRoutes(endpoints, endpoints.ServiceProvider.GetRequiredService<DockerServices>());
        SystemEndpoints.Map(routes);
        EventEndpoints.Map(routes);
        AuthEndpoints.Map(routes);
        ContainerEndpoints.Map(routes);
        UpdateEndpoints.Map(routes);
        ContainerStreamEndpoints.Map(routes);
        TopEndpoints.Map(routes);
        StatisticsEndpoints.Map(routes);
        ArchiveEndpoints.Map(routes);
        ExecEndpoints.Map(routes);
        ImageEndpoints.Map(routes);
        NetworkEndpoints.Map(routes);
        VolumeEndpoints.Map(routes);
        SwarmEndpoints.Map(routes);
        routes.MapRest();
    }

    /// <summary>Answers a request as the Engine answers failures: for those that do not get as far as the endpoints.</summary>
    public static Task RefuseAsync(HttpContext context, CandelaException error)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(error);
        context.Response.StatusCode = ErrorTranslation.StatusOf(error.Code);
        return context.Response.WriteAsJsonAsync(new ErrorBody(error.Message), DockerJson.Default.ErrorBody, cancellationToken: context.RequestAborted);
    }
}
