using Candela.Controller.Containers;
using Candela.Controller.Storage;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Model;

namespace Candela.Controller.Access;

/// <summary>
/// Asks whether a caller may do something with a project's resources. Who is refused does not learn whether there is such a resource.
/// </summary>
/// <param name="guard">Decides; null: there is no identity, and only those who may do everything may do anything.</param>
/// <param name="containers">Containers.</param>
/// <param name="execs">Execs.</param>
internal sealed class AccessControl(AccessGuard? guard, ContainerTable containers, ExecTable execs)
{
    /// <summary>Where a project's resources are.</summary>
    public static ResourceScope ScopeOf(string project) => ResourceScope.Project(ProjectTable.TenantOf(project), project);

    /// <summary>The caller may do this in the project.</summary>
    /// <exception cref="CandelaException">PermissionDenied.</exception>
    public Task RequireAsync(Caller caller, ResourceKind kind, Verb verb, CancellationToken cancellationToken) =>
        caller.Actor.Subject is null ? Task.CompletedTask : Guard.RequireAsync(caller.Actor, kind, verb, ScopeOf(caller.Project), cancellationToken);

    /// <summary>The caller may do this on the platform as a whole.</summary>
    /// <exception cref="CandelaException">PermissionDenied.</exception>
    public Task RequireAtSystemAsync(Caller caller, ResourceKind kind, Verb verb, CancellationToken cancellationToken) =>
        caller.Actor.Subject is null ? Task.CompletedTask : Guard.RequireAsync(caller.Actor, kind, verb, ResourceScope.System, cancellationToken);

    /// <summary>The caller may do this with a container.</summary>
    /// <returns>Reference of the container that the decision is about.</returns>
    /// <exception cref="CandelaException">PermissionDenied.</exception>
    public Task<string> RequireContainerAsync(Caller caller, string reference, Verb verb, CancellationToken cancellationToken) =>
        RequireContainerAsync(caller, reference, verb, () => containers.Get(caller.Project, reference).Id, cancellationToken);

    /// <summary>The caller may execute processes in the container of an exec.</summary>
    /// <exception cref="CandelaException">PermissionDenied.</exception>
    public Task RequireExecAsync(Caller caller, string execId, CancellationToken cancellationToken) =>
        RequireContainerAsync(caller, execId, Verb.Execute, () => execs.Get(execId).Exec.ContainerId, cancellationToken);

    /// <summary>Those of a project's containers that the caller may see.</summary>
    /// <exception cref="CandelaException">PermissionDenied: none, and no right to see any.</exception>
    public async Task<IReadOnlyList<Container>> FilterAsync(Caller caller, IReadOnlyList<Container> all, CancellationToken cancellationToken)
    {
        if (caller.Actor.Subject is null || await Guard.AllowsAsync(caller.Actor, ResourceKind.Container, Verb.List, ScopeOf(caller.Project), cancellationToken))
            return all;
        var seen = new List<Container>();
        foreach (var container in all)
        {
            if (await Guard.AllowsAsync(caller.Actor, ResourceKind.Container, Verb.Get, ScopeOf(caller.Project).Resource(ResourceKind.Container, container.Id), cancellationToken))
                seen.Add(container);
        }

        if (seen.Count == 0)
            await RequireAsync(caller, ResourceKind.Container, Verb.List, cancellationToken);
        return seen;
    }

    private AccessGuard Guard => guard ?? throw new CandelaException(ErrorCode.PermissionDenied, "there are no accounts here");

    private async Task<string> RequireContainerAsync(Caller caller, string reference, Verb verb, Func<string> find, CancellationToken cancellationToken)
    {
        var scope = ScopeOf(caller.Project);
        if (caller.Actor.Subject is null || await Guard.AllowsAsync(caller.Actor, ResourceKind.Container, verb, scope, cancellationToken))
            return reference;
        try
        {
            var id = find();
            if (await Guard.AllowsAsync(caller.Actor, ResourceKind.Container, verb, scope.Resource(ResourceKind.Container, id), cancellationToken))
                return id;
        }
        catch (CandelaException)
        {
            // There is none: refused like any other.
        }

        await Guard.RequireAsync(caller.Actor, ResourceKind.Container, verb, scope, cancellationToken);
        return reference;
    }
}
