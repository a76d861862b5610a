using Candela.Machine;
using Candela.Microvisor;
using Candela.Model;

namespace Candela.Controller.Machines;

/// <summary>This machine and its parents.</summary>
internal sealed class MachineService(ControllerOptions options, IMachine machine) : IMachineService
{
    private const long MemoryBytesStep = 1 << 20;
    private const long MemoryBytesMinimum = 64 << 20;

    public async Task<MachineReport> GetAsync(Caller caller, CancellationToken cancellationToken) => new(
        Environment.MachineName,
        OperatingSystemName(),
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        Environment.ProcessorCount,
        HostMemory.TotalBytes,
        options.StateFolder,
        options.RunFolder,
        await machine.ProbeAsync(cancellationToken),
        options.GuestVersion,
        options.GuestKernel);

    public Task<IReadOnlyList<ParentStatus>> ListParentsAsync(Caller caller, CancellationToken cancellationToken) => Task.FromResult(machine.ListParents());

    public Task<ParentStatus> EnsureParentAsync(Caller caller, int vcpus, long memoryBytes, CancellationToken cancellationToken)
    {
        if (vcpus < 1 || vcpus > Limits.VCpuCount)
            throw new CandelaException(ErrorCode.InvalidArgument, $"a parent has 1 to {Limits.VCpuCount} vCPUs");
        if (memoryBytes < MemoryBytesMinimum || memoryBytes % MemoryBytesStep != 0)
            throw new CandelaException(ErrorCode.InvalidArgument, "a parent's memory is a multiple of 1 MiB, at least 64 MiB");
        return machine.EnsureParentAsync(vcpus, memoryBytes, cancellationToken);
    }

    public Task RemoveParentAsync(Caller caller, string key, CancellationToken cancellationToken) => machine.RemoveParentAsync(key, cancellationToken);

    private static string OperatingSystemName()
    {
        const string Key = "PRETTY_NAME=";
        const string ReleaseFile = "/etc/os-release";
        var line = File.Exists(ReleaseFile) ? File.ReadLines(ReleaseFile).FirstOrDefault(static line => line.StartsWith(Key, StringComparison.Ordinal)) : null;
        return line is null ? "Linux" : line[Key.Length..].Trim('"');
    }
}
