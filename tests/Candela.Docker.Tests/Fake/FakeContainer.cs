using Candela.Controller;
using Candela.Model;

namespace Candela.Docker.Tests.Fake;

/// <summary>A container of the fake: its record and its run.</summary>
internal sealed class FakeContainer(Container record)
{
    public Container Record { get; set; } = record;

    public OutputHub Hub { get; set; } = new();

    public HostProcess? Process { get; set; }

    public TaskCompletionSource<HostProcess> Started { get; set; } = New<HostProcess>();

    public TaskCompletionSource<WaitResult> Exited { get; set; } = New<WaitResult>();

    public TaskCompletionSource<WaitResult> Removed { get; } = New<WaitResult>();

    public (ushort Rows, ushort Columns)? Size { get; set; }

    public bool Running => Record.Status.State is ContainerState.Running or ContainerState.Paused;

    public void Update(Func<ContainerStatus, ContainerStatus> change) => Record = Record with { Status = change(Record.Status), Revision = Record.Revision + 1 };

    private static TaskCompletionSource<T> New<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>An exec of the fake.</summary>
internal sealed class FakeExec(Exec record)
{
    public Exec Record { get; set; } = record;

    public HostProcess? Process { get; set; }
}
