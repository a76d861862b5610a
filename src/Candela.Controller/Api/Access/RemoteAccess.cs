using Candela.Controller.Api.Http;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Identity.Workloads;
using Candela.Identity.Workloads.Api;
using Candela.Model;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Candela.Controller.Api.Access;

/// <summary>Names the callers of an application that is reached over TLS.</summary>
public static class RemoteAccess
{
    /// <summary>Finds out, before an endpoint below a path runs, who calls it; who says it wrongly is answered with a 401.</summary>
    /// <param name="application">Application.</param>
    /// <param name="path">Path, for example <c>/v1</c>.</param>
    /// <param name="callers">Knows them.</param>
    /// <param name="refuse">Writes the 401; null: as problem details.</param>
    public static void UseRemoteCallers(this IApplicationBuilder application, PathString path, RemoteCallers callers, Func<HttpContext, CandelaException, Task>? refuse = null) =>
        application.UseWhen(
            context => context.Request.Path.StartsWithSegments(path),
            branch => branch.Use((context, next) => RunAsync(context, next, callers, refuse ?? (static (refused, e) => ApiProblem.Of(e).WriteAsync(refused)))));

    /// <summary>Names the callers of an application that containers reach over their workload sockets.</summary>
    /// <param name="application">Application.</param>
    /// <param name="workloads">Knows the containers.</param>
    public static void UseWorkloadCallers(this IApplicationBuilder application, WorkloadIdentities workloads) => application.Use((context, next) =>
    {
        if (context.Features.Get<IAttestedConnection>() is { } connection &&
            workloads.IdOf(connection.Container).Path.Split('/', StringSplitOptions.RemoveEmptyEntries) is [var tenant, var project, var name])
            context.Features.Set<IActorFeature>(new KnownActor(Actor.Workload(Subject.Workload(tenant, project, name), "workload-api")));
        return next(context);
    });

    private static async Task RunAsync(HttpContext context, RequestDelegate next, RemoteCallers callers, Func<HttpContext, CandelaException, Task> refuse)
    {
        // RFC 6750, section 3
        context.Response.OnStarting(() =>
        {
            if (context.Response.StatusCode == StatusCodes.Status401Unauthorized)
            {
                string bearer = context.Request.Headers.Authorization.Count == 0 ? "Bearer realm=\"candela\"" : "Bearer realm=\"candela\", error=\"invalid_token\"";
                context.Response.Headers.WWWAuthenticate = callers.AcceptsTickets ? new StringValues([bearer, "Negotiate"]) : bearer;
            }

            return Task.CompletedTask;
        });
        try
        {
            if (await callers.FindAsync(context) is { } actor)
                context.Features.Set<IActorFeature>(new KnownActor(actor));
        }
        catch (CandelaException e)
        {
            await refuse(context, e);
            return;
        }

        await next(context);
    }

    private sealed record KnownActor(Actor Actor) : IActorFeature;
}
