using Candela.Controller.Access;
using Candela.Identity.Authorization;

namespace Candela.Controller.Audit;

/// <summary>Asks of each call about one kind of a project's resources whether its caller may, and records it.</summary>
/// <param name="access">Decides.</param>
/// <param name="audit">Records.</param>
/// <param name="kind">What the calls are about.</param>
internal abstract class AuditedService(AccessControl access, AuditLog audit, ResourceKind kind)
{
    /// <summary>Decides about what a call needs besides.</summary>
    protected AccessControl Access { get; } = access;

    /// <summary>Carries a call out if its caller may.</summary>
    protected Task<T> RunAsync<T>(Caller caller, string action, Verb verb, string target, Func<Task<T>> call, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, action, target, async () =>
        {
            await Access.RequireAsync(caller, kind, verb, cancellationToken);
            return await call();
        });

    /// <summary>Carries a call without an answer out if its caller may.</summary>
    protected Task RunAsync(Caller caller, string action, Verb verb, string target, Func<Task> call, CancellationToken cancellationToken) =>
        RunAsync(caller, action, verb, target, async () =>
        {
            await call();
            return true;
        }, cancellationToken);
}
