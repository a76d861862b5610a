using Candela.Microvisor;
using Candela.Model;

namespace Candela.Controller.Tests.Api;

/// <summary>A machine with one parent.</summary>
internal sealed class FakeMachine : IMachineService
{
    private readonly List<ParentStatus> _parents = [];

    /// <summary>Thrown by the next question for the machine.</summary>
    public Exception? Failure { get; set; }

    public Caller? LastCaller { get; private set; }

    public Task<MachineReport> GetAsync(Caller caller, CancellationToken cancellationToken)
    {
        LastCaller = caller;
        return Failure is not null ? throw Failure : Task.FromResult(new MachineReport(
            "fakehost", "Debian GNU/Linux 12 (bookworm)", "6.1.0", 2, 8L << 30, "/var/lib/candela", "/run/candela",
            new DriverReport("simulated", "none", "1", ["a test"]), "g1", "6.1.0-guest"));
    }

    public Task<IReadOnlyList<ParentStatus>> ListParentsAsync(Caller caller, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<ParentStatus>>([.. _parents]);

    public Task<ParentStatus> EnsureParentAsync(Caller caller, int vcpus, long memoryBytes, CancellationToken cancellationToken)
    {
        var parent = new ParentStatus
        {
            Key = $"g1-{vcpus}-{memoryBytes >> 20}",
            Size = new MicroVmSize(vcpus, memoryBytes),
            GuestVersion = "g1",
            CreatedAt = DateTimeOffset.UtcNow,
            Waiting = 4,
        };
        _parents.Add(parent);
        return Task.FromResult(parent);
    }

    public Task RemoveParentAsync(Caller caller, string key, CancellationToken cancellationToken) =>
        _parents.RemoveAll(parent => parent.Key == key) > 0
            ? Task.CompletedTask
            : throw new CandelaException(ErrorCode.NotFound, $"there is no parent {key}");
}
