using System.Globalization;
using Candela.Controller.Access;
using Candela.Controller.Machines;
using Candela.Identity.Authorization;
using Candela.Microvisor;

namespace Candela.Controller.Audit;

/// <summary>Asks of every call of the machine service whether its caller may, and records it.</summary>
internal sealed class AuditedMachineService(MachineService inner, AccessControl access, AuditLog audit) : IMachineService
{
    public Task<MachineReport> GetAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "machine.get", "", () => inner.GetAsync(caller, cancellationToken));

    public Task<IReadOnlyList<ParentStatus>> ListParentsAsync(Caller caller, CancellationToken cancellationToken) =>
        RunAsync(caller, "parent.list", Verb.List, "", () => inner.ListParentsAsync(caller, cancellationToken), cancellationToken);

    public Task<ParentStatus> EnsureParentAsync(Caller caller, int vcpus, long memoryBytes, CancellationToken cancellationToken) =>
        RunAsync(caller, "parent.ensure", Verb.Operate,
            string.Create(CultureInfo.InvariantCulture, $"{vcpus} vCPUs, {memoryBytes} bytes"),
            () => inner.EnsureParentAsync(caller, vcpus, memoryBytes, cancellationToken), cancellationToken);

    public Task RemoveParentAsync(Caller caller, string key, CancellationToken cancellationToken) =>
        RunAsync(caller, "parent.remove", Verb.Operate, key, () => inner.RemoveParentAsync(caller, key, cancellationToken), cancellationToken);

    private Task<T> RunAsync<T>(Caller caller, string action, Verb verb, string target, Func<Task<T>> call, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, action, target, async () =>
        {
            await access.RequireAtSystemAsync(caller, ResourceKind.Machine, verb, cancellationToken);
            return await call();
        });

    private Task<bool> RunAsync(Caller caller, string action, Verb verb, string target, Func<Task> call, CancellationToken cancellationToken) =>
        RunAsync(caller, action, verb, target, async () =>
        {
            await call();
            return true;
        }, cancellationToken);
}
