using System.Globalization;
using Candela.Controller.Machines;
using Candela.Microvisor;

namespace Candela.Controller.Audit;

/// <summary>Records every call of the machine service.</summary>
internal sealed class AuditedMachineService(MachineService inner, AuditLog audit) : IMachineService
{
    public Task<MachineReport> GetAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "machine.get", "", () => inner.GetAsync(caller, cancellationToken));

    public Task<IReadOnlyList<ParentStatus>> ListParentsAsync(Caller caller, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "parent.list", "", () => inner.ListParentsAsync(caller, cancellationToken));

    public Task<ParentStatus> EnsureParentAsync(Caller caller, int vcpus, long memoryBytes, CancellationToken cancellationToken) =>
        audit.RunAsync(
            caller,
            "parent.ensure",
            string.Create(CultureInfo.InvariantCulture, $"{vcpus} vCPUs, {memoryBytes} bytes"),
            () => inner.EnsureParentAsync(caller, vcpus, memoryBytes, cancellationToken));

    public Task RemoveParentAsync(Caller caller, string key, CancellationToken cancellationToken) =>
        audit.RunAsync(caller, "parent.remove", key, () => inner.RemoveParentAsync(caller, key, cancellationToken));
}
