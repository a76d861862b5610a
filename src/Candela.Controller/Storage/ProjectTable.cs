using System.Collections.Concurrent;
using System.Text.Json;
using Candela.Model;
using Candela.State;

namespace Candela.Controller.Storage;

/// <summary>Projects and their tenants.</summary>
internal sealed class ProjectTable(IStateStore store, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, bool> _projects = new(StringComparer.Ordinal);

    /// <summary>Makes the default tenant and project at the first start.</summary>
    public async Task EnsureDefaultAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (tenant, project) = (StateKeys.Tenant(StateKeys.DefaultTenant), StateKeys.Project(StateKeys.DefaultProject));
        if (await store.GetAsync(project, cancellationToken) is not null)
            return;
        var transaction = new StateTransaction()
            .Expect(tenant, 0)
            .Expect(project, 0)
            .Put(tenant, JsonSerializer.SerializeToUtf8Bytes(new TenantDocument(StateKeys.DefaultTenant, now), ControllerJson.Default.TenantDocument))
            .Put(project, JsonSerializer.SerializeToUtf8Bytes(
                new ProjectDocument(StateKeys.DefaultProject, StateKeys.DefaultTenant, now), ControllerJson.Default.ProjectDocument));
        var result = await store.CommitAsync(transaction, cancellationToken);
        if (!result.Succeeded)
            throw new CandelaException(ErrorCode.Internal, $"the state store is inconsistent: {result.FailedKey} exists, the default project does not");
    }

    /// <summary>The tenant that a project belongs to.</summary>
    public static string TenantOf(string project) => StateKeys.DefaultTenant;

    /// <summary>Takes a project in.</summary>
    public void Add(string project) => _projects[project] = true;

    /// <exception cref="CandelaException">NotFound.</exception>
    public void Check(string project)
    {
        if (!_projects.ContainsKey(project))
            throw new CandelaException(ErrorCode.NotFound, $"No such project: {project}");
    }
}
