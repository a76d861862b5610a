using System.Collections.Concurrent;
using Candela.Machine;
using Candela.Model;

namespace Candela.Controller.Tests.Fake;

/// <summary>What outlives the daemon: the journal of runs, and which of them go on.</summary>
internal sealed class FakeHost
{
    public ConcurrentDictionary<string, FakeRun> Runs { get; } = new();

    /// <summary>Containers that have a disk.</summary>
    public ConcurrentDictionary<string, bool> Disks { get; } = new();

    /// <summary>Containers can be connected.</summary>
    public bool HasNetworks { get; init; }

    public FakeFlows Flows { get; } = new();

    /// <summary>Ends a process while no daemon runs.</summary>
    public void End(string id, ContainerExit exit) => Runs[id].Exit = exit;
}

/// <summary>A journaled run.</summary>
internal sealed class FakeRun(Container container, int pid, DateTimeOffset startedAt)
{
    public Container Container { get; } = container;

    public int Pid { get; } = pid;

    public DateTimeOffset StartedAt { get; } = startedAt;

    public bool Paused { get; set; }

    public ContainerExit? Exit { get; set; }
}
