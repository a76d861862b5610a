using Candela.Controller.Access;
using Candela.Identity.Administration;
using Candela.Identity.Authentication;
using Candela.Identity.Authorization;
using Candela.Model;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Candela.Controller.Api.Access;

/// <summary>Lets requests through to their endpoints as these have declared. The same for every front end.</summary>
/// <param name="callers">Knows callers.</param>
/// <param name="time">Clock.</param>
public sealed class RouteGuard(CallerResolver callers, TimeProvider time)
{
    /// <summary>How often a request that lasts is asked again whether it may.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Runs an endpoint, if the caller may call it, and cuts the connection of one that lasts when what let the caller in was taken away.</summary>
    /// <param name="context">The request.</param>
    /// <param name="access">What the route has declared; null: nothing.</param>
    /// <param name="project">Project of the endpoint.</param>
    /// <param name="next">The endpoint.</param>
    /// <exception cref="CandelaException">Unauthenticated; PermissionDenied; Internal: the route has declared nothing.</exception>
    public async Task RunAsync(HttpContext context, RouteAccess? access, string project, Func<Task> next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        if (access is null)
            throw new CandelaException(ErrorCode.Internal, $"{context.Request.Method} {context.Request.Path} does not say what it asks of its callers");
        CallerResolver.RequireKnown(context.Features);
        var rights = AskedRights.Begin();
        var running = RunAsync(context, access, callers, project, next);
        while (!running.IsCompleted)
        {
            await running.WaitAsync(Interval, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (running.IsCompleted)
                break;
            try
            {
                await RecheckAsync(context, rights, project);
            }
            catch (CandelaException)
            {
                context.Abort();
                break;
            }
        }

        await running;
    }

    private async Task RecheckAsync(HttpContext context, AskedRights rights, string project)
    {
        if (context.RequestServices.GetService<AccessGuard>() is not { } guard)
            return;
        try
        {
            if (context.Features.Get<CallerRecheck>() is { } recheck)
                await recheck.RunAsync(CancellationToken.None);
            await guard.RecheckAsync(rights, CancellationToken.None);
        }
        catch (CandelaException e) when (e.Code is ErrorCode.Unauthenticated or ErrorCode.PermissionDenied)
        {
            await guard.RunAsync(callers.Resolve(context.Features, project).Actor, "access.withdraw", context.Request.Path, () => Task.FromException(e));
        }
        catch (CandelaException)
        {
            // It cannot be asked for now.
        }
    }

    private static Task RunAsync(HttpContext context, RouteAccess access, CallerResolver callers, string project, Func<Task> next)
    {
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
