using System.Collections.Concurrent;
using Candela.Guest.Protocol.Host;
using Candela.Microvisor.Simulated;
using Candela.Model;
using Candela.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Machine.Tests.Runs;

/// <summary>A Machine over simulated micro-VMs. <see cref="RestartAsync"/> puts a new daemon's Machine in its place.</summary>
internal sealed class MachineFixture : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<ContainerExit>> _exits = new();

    private MachineFixture() =>
        Host = new SimulatedHost(Guest.ServeAsync, TimeProvider.System) { ForkedGuest = Guest.ServeForkAsync };

    public ScriptedGuest Guest { get; } = new();

    public SimulatedHost Host { get; }

    public LeaseCounter Images { get; } = new();

    public VolumeDisks Volumes => field ??= new VolumeDisks(System.IO.Path.Combine(_folder.Path, "volumes"));

    public LocalMachine Machine { get; private set; } = null!;

    /// <summary>Most time for a start.</summary>
    public TimeSpan StartTimeout { get; set; } = Patience;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<MachineFixture> OpenAsync()
    {
        var fixture = new MachineFixture();
        await fixture.RestartAsync([]);
        return fixture;
    }

    /// <summary>Ends the daemon and starts the next one, which knows these containers.</summary>
    public async Task<IReadOnlyList<RecoveredContainer>> RestartAsync(IReadOnlyCollection<Container> known, Action? meanwhile = null)
    {
        if (Machine is not null)
            await Machine.DisposeAsync();
        meanwhile?.Invoke();
        var options = new MachineOptions
        {
            StateFolder = _folder.Path,
            ScratchBytes = 64 << 20,
            ScratchPoolCount = 1,
            StartTimeout = StartTimeout,
            DrainTimeout = TimeSpan.FromMilliseconds(200),
        };
        Machine = new LocalMachine(
            options,
            new SimulatedMicrovisor(Host),
            Images,
            Volumes,
            async (stream, events, mayBeTorn, token) => await AgentConnection.ConnectAsync(stream, events, mayBeTorn, token),
            TimeProvider.System,
            NullLogger<LocalMachine>.Instance);
        Machine.Exited += (id, exit) => Exit(id).SetResult(exit);
        return await Machine.RecoverAsync(known, Token);
    }

    public static Container NewContainer(params string[] arguments) => new()
    {
        Id = Guid.NewGuid().ToString("N") + Guid.NewGuid().ToString("N"),
        Name = "test",
        Project = "",
        CreatedAt = DateTimeOffset.UnixEpoch,
        ImageId = "sha256:0",
        Spec = new ContainerSpec { Image = "test" },
        Process = new ProcessConfiguration { Arguments = arguments },
        Status = new ContainerStatus(),
    };

    /// <summary>Waits for the end of a container's run.</summary>
    public Task<ContainerExit> ExitAsync(Container container) => Exit(container.Id).Task.WaitAsync(Patience, Token);

    /// <summary>All that a container has printed so far.</summary>
    public async Task<string> LogAsync(Container container, bool follow = false)
    {
        var text = new System.Text.StringBuilder();
        await foreach (LogEntry entry in Machine.ReadLogsAsync(container.Id, new LogOptions { Stdout = true, Stderr = true, Follow = follow }, Token))
        {
            text.Append(System.Text.Encoding.UTF8.GetString(entry.Line.Span));
            if (follow && text.ToString().Contains("ready", StringComparison.Ordinal))
                break;
        }

        return text.ToString();
    }

    /// <summary>Nothing of any run is left; a container's folder may hold its disk and its log.</summary>
    public void AssertNothingRuns()
    {
        Assert.Empty(Host.Running);
        Assert.Equal(0, Images.Held);
        Assert.Empty(Directory.GetFiles(_folder.Path, "run.json*", SearchOption.AllDirectories));
    }

    public async ValueTask DisposeAsync()
    {
        await Machine.DisposeAsync();
        await new SimulatedMicrovisor(Host).CleanOrphansAsync(new HashSet<string>(), CancellationToken.None);
        _folder.Dispose();
    }

    private TaskCompletionSource<ContainerExit> Exit(string id) => _exits.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
