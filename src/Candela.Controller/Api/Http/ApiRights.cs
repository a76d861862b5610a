using Candela.Controller.Storage;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Model;

namespace Candela.Controller.Api.Http;

/// <summary>Whether a caller may do something in a project.</summary>
internal sealed class ApiRights(IAuthorizer authorizer)
{
    /// <summary>A user of this host, by the daemon's own socket, may do everything; an account or workload what its roles allow.</summary>
    /// <exception cref="CandelaException">PermissionDenied.</exception>
    public async Task RequireAsync(Actor actor, ResourceKind kind, Verb verb, string project, CancellationToken cancellationToken)
    {
        if (actor.Subject is not { } subject)
            return;
        var permission = new Permission(kind, verb);
        Decision decision = await authorizer.DecideAsync(subject, permission, ResourceScope.Project(StateKeys.DefaultTenant, project), cancellationToken);
        if (!decision.Allowed)
            throw new CandelaException(ErrorCode.PermissionDenied, $"{actor.Name} may not {permission} in project {project} ({decision.Explanation}): ask an administrator for a role that allows it.");
    }
}
