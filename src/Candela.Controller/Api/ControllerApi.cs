using Candela.Controller.Api.Access;
using Candela.Controller.Api.Containers;
using Candela.Controller.Api.Documents;
using Candela.Controller.Api.Http;
using Candela.Controller.Api.Identity;
using Candela.Controller.Api.Images;
using Candela.Controller.Api.Networks;
using Candela.Controller.Api.Platform;
using Candela.Controller.Api.Tasks;
using Candela.Identity.Accounts;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Candela.Controller.Api;

/// <summary>The REST API of the Controller.</summary>
public static class ControllerApi
{
    /// <summary>
    /// Registers what the endpoints need besides <see cref="IContainerService"/>, <see cref="IImageService"/>,
    /// <see cref="IMachineService"/>, <see cref="INetworkService"/>, <see cref="INetworkPolicyService"/>, <see cref="IFlowService"/>,
    /// <see cref="IPlatformStatus"/>, and of identity <see cref="AccessGuard"/>, <see cref="IDirectory"/>, <see cref="IAccessPolicy"/>,
    /// <see cref="DirectoryAdministration"/>, <see cref="PolicyAdministration"/>, <see cref="ClientAdministration"/>, <see cref="SelfService"/> and <see cref="Candela.Identity.Kerberos.KerberosAdministration"/>. The connections must come from
    /// <see cref="Transport.HalfOpenUnixSockets"/>.
    /// </summary>
    public static IServiceCollection AddControllerApi(this IServiceCollection services, Action<ControllerApiOptions>? configure = null)
    {
        if (configure is not null)
            services.Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<CallerResolver>();
        services.TryAddSingleton<RouteGuard>();
        services.TryAddSingleton<TaskList>();
        services.AddSingleton<ApiPipeline>();
        services.AddTransient<IdentityReports>();
        services.ConfigureHttpJsonOptions(json => ApiJson.Configure(json.SerializerOptions));
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        return services.AddOpenApi(ApiDocument.Name, ApiDocument.Configure);
    }

    /// <summary>
    /// Maps the API and its description, and answers every other path with a 404, every other method with a 405: to be mapped where nothing else is, that is in an
    /// application or a branch that serves Candela's own socket only.
    /// </summary>
    public static void MapControllerApi(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var root = endpoints.MapGroup("");
        ((IEndpointConventionBuilder)root).Finally(Wrap);
        var limit = endpoints.ServiceProvider.GetRequiredService<IOptions<ControllerApiOptions>>().Value.JsonBytesMaximum;
        var api = root.MapGroup("/v1").WithMetadata(new RequestSizeLimitAttribute(limit));
        PlatformEndpoints.Map(api);
        ContainerEndpoints.Map(api);
        StreamEndpoints.Map(api);
        LogEndpoints.Map(api);
        ArchiveEndpoints.Map(api);
        ImageEndpoints.Map(api);
        DomainEndpoints.Map(api);
        AccountEndpoints.Map(api);
        GroupEndpoints.Map(api);
        PolicyEndpoints.Map(api);
        ClientEndpoints.Map(api);
        SegmentEndpoints.Map(api);
        SecurityGroupEndpoints.Map(api);
        NetworkPolicyEndpoints.Map(api);
        FlowEndpoints.Map(api);
        SamlEndpoints.Map(api);
        IdentityProviderEndpoints.Map(api);
        KerberosEndpoints.Map(api);
        SelfEndpoints.Map(api);
        PeerEndpoints.Map(api);
        CertificateEndpoints.Map(api);
        root.MapOpenApi(ApiDocument.Pattern).WithMetadata(WorksWhilePreparing.Instance, RouteAccess.Everyone);
        root.Map("/{**rest}", RefuseAsync).WithMetadata(WorksWhilePreparing.Instance, RouteAccess.Everyone).ExcludeFromDescription();
    }

    /// <summary>Maps only what workloads ask about each other (<c>/v1/peer-decision</c>).</summary>
    public static void MapPeerDecisions(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var root = endpoints.MapGroup("/v1");
        ((IEndpointConventionBuilder)root).Finally(Wrap);
        PeerEndpoints.Map(root);
    }

    /// <summary>405 with the methods that the path has (RFC 9110, section 15.5.6), or 404.</summary>
    private static Task RefuseAsync(HttpContext context)
    {
        string what = $"there is no {context.Request.Method} {context.Request.Path}";
        string[] methods = [.. context.RequestServices.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is not null
                && new TemplateMatcher(new RouteTemplate(endpoint.RoutePattern), []).TryMatch(context.Request.Path, []))
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods)
            .Distinct().Order(StringComparer.Ordinal)];
        if (methods.Length == 0)
            throw new CandelaException(ErrorCode.NotFound, what);
        context.Response.Headers.Allow = string.Join(", ", methods);
        throw new BadHttpRequestException($"{what}, only {string.Join(", ", methods)}", StatusCodes.Status405MethodNotAllowed);
    }

    private static void Wrap(EndpointBuilder endpoint)
    {
        // Routing would take a request with another type of body for an unknown route; the binding of the body refuses it better.
        foreach (var accepts in endpoint.Metadata.OfType<IAcceptsMetadata>().ToArray())
            endpoint.Metadata.Remove(accepts);
        var next = endpoint.RequestDelegate!;
        var whilePreparing = endpoint.Metadata.OfType<WorksWhilePreparing>().Any();
        endpoint.RequestDelegate = context => context.RequestServices.GetRequiredService<ApiPipeline>().RunAsync(context, next, whilePreparing);
    }
}
