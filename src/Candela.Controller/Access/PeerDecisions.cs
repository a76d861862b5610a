using System.Diagnostics;
using Candela.Controller.Containers;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.Workloads;
using Candela.Model;

namespace Candela.Controller.Access;

/// <summary>
/// Who may talk to whom, for proxies to ask: a workload that has <c>container:connect</c> at a container, its project or above may. Every
/// decision is kept in the audit log.
/// </summary>
public sealed class PeerDecisions
{
    private readonly ContainerTable _containers;
    private readonly TrustDomain _domain;
    private readonly IAuthorizer _authorizer;
    private readonly AccessGuard _guard;
    private readonly IAuditSink _audit;

    internal PeerDecisions(ContainerTable containers, TrustDomain domain, IAuthorizer authorizer, AccessGuard guard, IAuditSink audit) =>
        (_containers, _domain, _authorizer, _guard, _audit) = (containers, domain, authorizer, guard, audit);

    /// <summary>Decides. A workload may ask who may talk to it; about others may ask who may list their bindings.</summary>
    /// <param name="asker">Who asks.</param>
    /// <param name="source">Who wants to talk.</param>
    /// <param name="target">SPIFFE ID of whom it wants to talk to; null: the asker.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="CandelaException">
    /// InvalidArgument; PermissionDenied: the asker may not ask this. Unauthenticated: the source's certificate or token is not that of a workload that lives.
    /// </exception>
    public async Task<PeerDecision> DecideAsync(Actor asker, PeerSource source, string? target, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(asker);
        ArgumentNullException.ThrowIfNull(source);
        var start = Stopwatch.GetTimestamp();
        var (tenant, project, name) = TargetOf(asker, target);
        var scope = ResourceScope.Project(tenant, project);
        if (asker.Subject != Subject.Workload(tenant, project, name))
            await _guard.RequireAsync(asker, ResourceKind.Binding, Verb.List, scope, cancellationToken);
        if (FindContainer(tenant, project, name) is { } container)
            scope = scope.Resource(ResourceKind.Container, container);
        var own = $"spiffe://{_domain.Name}/{tenant}/{project}/{name}";
        SpiffeId id;
        try
        {
            id = await SourceAsync(source, own, cancellationToken);
        }
        catch (CandelaException e)
        {
            _audit.Record(new AuditRecord(asker, "peer.decide", $"unproven {own}", e, Stopwatch.GetElapsedTime(start)));
            throw;
        }

        var decision = Parts(id) is var (sourceTenant, sourceProject, sourceName)
            ? await _authorizer.DecideAsync(Subject.Workload(sourceTenant, sourceProject, sourceName), new Permission(ResourceKind.Container, Verb.Connect), scope, cancellationToken)
            : null;
        var found = new PeerDecision(
            id.ToString(), own, decision is { Allowed: true },
            decision?.Explanation ?? $"denied: {id} is not a container of {_domain.Name}, and nothing can be bound to it");
        _audit.Record(new AuditRecord(
            asker, "peer.decide", $"{found.Source} {found.Target}", found.Allowed ? null : new CandelaException(ErrorCode.PermissionDenied, found.Explanation), Stopwatch.GetElapsedTime(start)));
        return found;
    }

    private (string Tenant, string Project, string Name) TargetOf(Actor asker, string? target)
    {
        if (target is not null)
        {
            return SpiffeId.TryParse(target, out var id) && Parts(id) is { } parts
                ? parts
                : throw new CandelaException(ErrorCode.InvalidArgument, $"'{target}' is no container of this installation: it must be like spiffe://{_domain.Name}/TENANT/PROJECT/NAME");
        }

        return asker.Subject is { IsWorkload: true } self
            ? (self.Tenant!, self.Project!, self.Name!)
            : throw new CandelaException(ErrorCode.InvalidArgument, "say whom it is about (target): only a container may leave that out, and means itself");
    }

    private async Task<SpiffeId> SourceAsync(PeerSource source, string audience, CancellationToken cancellationToken) => source switch
    {
        { Certificate: { } certificate } => await _domain.Workloads.VerifyAsync(certificate, cancellationToken),
        { Token: { } token } => (await _domain.ValidateJwtAsync(token, audience, cancellationToken)).Id,
        { Id: { } text } => SpiffeId.TryParse(text, out var id) ? id : throw new CandelaException(ErrorCode.InvalidArgument, $"'{text}' is no SPIFFE ID"),
        _ => throw new CandelaException(ErrorCode.Unauthenticated, "nothing says who wants to talk: send a certificate, a token or an id"),
    };

    private (string Tenant, string Project, string Name)? Parts(SpiffeId id) =>
        id.TrustDomain == _domain.Name && id.Path.Split('/', StringSplitOptions.RemoveEmptyEntries) is [var tenant, var project, var name] ? (tenant, project, name) : null;

    private string? FindContainer(string tenant, string project, string name)
    {
        try
        {
            return Storage.ProjectTable.TenantOf(project) == tenant ? _containers.Get(project, "/" + name).Id : null;
        }
        catch (CandelaException)
        {
            return null; // none of that name: the rights to the project count
        }
    }
}
