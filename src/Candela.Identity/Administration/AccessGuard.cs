using System.Diagnostics;
using Candela.Identity.Accounts;
using Candela.Identity.Authorization;
using Candela.Model;

namespace Candela.Identity.Administration;

/// <summary>Asks whether an actor may do something, and keeps who did what.</summary>
public sealed class AccessGuard
{
    private readonly IAuthorizer _authorizer;
    private readonly IAuditSink _audit;

    internal AccessGuard(IAuthorizer authorizer, IAuditSink audit) => (_authorizer, _audit) = (authorizer, audit);

    /// <summary>Where a domain's accounts are.</summary>
    public static ResourceScope ScopeOf(Domain domain) => domain.Tenant is { } tenant ? ResourceScope.Tenant(tenant) : ResourceScope.System;

    /// <summary>Kind of resource that an entry is.</summary>
    public static ResourceKind KindOf(EntryKind kind) => kind switch
    {
        EntryKind.User => ResourceKind.User,
        EntryKind.Group => ResourceKind.Group,
        EntryKind.ServiceAccount => ResourceKind.ServiceAccount,
        EntryKind.Machine => ResourceKind.Machine,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>The actor may do something somewhere.</summary>
    /// <exception cref="CandelaException">PermissionDenied.</exception>
    public async Task RequireAsync(Actor actor, ResourceKind kind, Verb verb, ResourceScope scope, CancellationToken cancellationToken)
    {
        if (actor.Subject is not { } subject)
            return;
        var permission = new Permission(kind, verb);
        Check(actor, await _authorizer.DecideAsync(subject, permission, scope, cancellationToken), $"{permission} at {scope}");
        AskedRights.Note(actor, permission, scope);
    }

    /// <summary>Whether the actor may do something somewhere.</summary>
    public async ValueTask<bool> AllowsAsync(Actor actor, ResourceKind kind, Verb verb, ResourceScope scope, CancellationToken cancellationToken)
    {
        if (actor.Subject is not { } subject)
            return true;
        var permission = new Permission(kind, verb);
        if (!(await _authorizer.DecideAsync(subject, permission, scope, cancellationToken)).Allowed)
            return false;
        AskedRights.Note(actor, permission, scope);
        return true;
    }

    /// <summary>What a request was let in by still holds. While the state store cannot be asked nothing is known, and nothing is taken away.</summary>
    /// <exception cref="CandelaException">PermissionDenied: some of it was taken away.</exception>
    public async Task RecheckAsync(AskedRights rights, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rights);
        foreach (var (actor, permission, scope) in rights.Allowed)
        {
            var decision = await _authorizer.DecideAsync(actor.Subject!.Value, permission, scope, cancellationToken);
            if (decision.Reason != DecisionReason.Stale)
                Check(actor, decision, $"{permission} at {scope} any more");
        }
    }

    /// <summary>The actor has all that the role gives, so that it may give it.</summary>
    /// <exception cref="CandelaException">PermissionDenied.</exception>
    public async Task RequireGrantAsync(Actor actor, Role role, ResourceScope scope, CancellationToken cancellationToken)
    {
        if (actor.Subject is { } subject)
            Check(actor, await _authorizer.DecideGrantAsync(subject, role, scope, cancellationToken), $"give role {role.Name} at {scope}");
    }

    /// <summary>The actor has all that the entry has, so that it may get hold of it, or let others.</summary>
    /// <exception cref="CandelaException">PermissionDenied.</exception>
    public Task RequireCoverAsync(Actor actor, DirectoryEntry entry, CancellationToken cancellationToken) =>
        RequireCoverAsync(actor, Subject.Entry(entry.Id), entry.Name, cancellationToken);

    /// <summary>The actor has all that the other has, so that it may get hold of it, or let others.</summary>
    /// <exception cref="CandelaException">PermissionDenied.</exception>
    public async Task RequireCoverAsync(Actor actor, Subject other, string name, CancellationToken cancellationToken)
    {
        if (actor.Subject is { } subject)
            Check(actor, await _authorizer.DecideCoverAsync(subject, other, cancellationToken), $"give out the rights of {name}");
    }

    /// <summary>Carries an action out and records it.</summary>
    public async Task<T> RunAsync<T>(Actor actor, string action, string target, Func<Task<T>> call)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            var result = await call();
            _audit.Record(new AuditRecord(actor, action, target, null, Stopwatch.GetElapsedTime(start)));
            return result;
        }
        catch (Exception e)
        {
            _audit.Record(new AuditRecord(actor, action, target, e, Stopwatch.GetElapsedTime(start)));
            throw;
        }
    }

    /// <summary>Carries an action without an answer out and records it.</summary>
    public Task RunAsync(Actor actor, string action, string target, Func<Task> call) => RunAsync(actor, action, target, async () =>
    {
        await call();
        return true;
    });

    private static void Check(Actor actor, Decision decision, string what)
    {
        if (!decision.Allowed)
            throw new CandelaException(ErrorCode.PermissionDenied, $"{actor.Name} may not {what} ({decision.Explanation}): ask an administrator for a role that allows it.");
    }
}
