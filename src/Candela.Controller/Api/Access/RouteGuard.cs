using Candela.Controller.Access;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Api.Access;

/// <summary>Lets requests through to their endpoints as these have declared. The same for every front end.</summary>
/// <param name="callers">Knows callers.</param>
public sealed class RouteGuard(CallerResolver callers)
{
    /// <summary>Runs an endpoint, if the caller may call it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="access">What the route has declared; null: nothing.</param>
    /// <param name="project">Project of the endpoint.</param>
    /// <param name="next">The endpoint.</param>
    /// <exception cref="CandelaException">Unauthenticated; PermissionDenied; Internal: the route has declared nothing.</exception>
    public Task RunAsync(HttpContext context, RouteAccess? access, string project, Func<Task> next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        if (access is null)
            throw new CandelaException(ErrorCode.Internal, $"{context.Request.Method} {context.Request.Path} does not say what it asks of its callers");
        CallerResolver.RequireKnown(context.Features);
        if (access.Decision is not (AccessDecision.Project or AccessDecision.System) || access.Permission is not { } permission)
            return next();
        var caller = callers.Resolve(context.Features, project);
        // While there are no accounts, whoever may do everything is the only caller.
        if (context.RequestServices.GetService<AccessGuard>() is not { } guard)
            return caller.Actor.Subject is null ? next() : throw new CandelaException(ErrorCode.PermissionDenied, "there are no accounts here");
        var scope = access.Decision == AccessDecision.System ? ResourceScope.System : AccessControl.ScopeOf(project);
        return guard.RunAsync(caller.Actor, $"{permission}", context.Request.Path, async () =>
        {
            await guard.RequireAsync(caller.Actor, permission.Kind, permission.Verb, scope, context.RequestAborted);
            await next();
        });
    }
}
