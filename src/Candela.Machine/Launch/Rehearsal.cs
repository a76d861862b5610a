using Candela.Guest.Protocol.Host;
using Candela.Model;

namespace Candela.Machine.Launch;

/// <summary>A container's start and end for practice, as like a real one as can be.</summary>
internal sealed class Rehearsal : IAgentEvents
{
    private const uint Main = 1;

    // The tap of a VMM that waits is connected to nothing. Addresses of RFC 5737.
    private static readonly NetworkEndpoint Nowhere = new()
    {
        NetworkId = "", NetworkName = "", PortId = "", Mac = "02:cd:00:00:00:01", Mtu = 1500, Ipv4Address = "192.0.2.2", Ipv4PrefixLength = 24, Ipv4Gateway = "192.0.2.1",
    };

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Runs a shell that prints a word, and lets the guest forget it.</summary>
    public async Task RunAsync(IAgent agent, bool hasNetwork, TimeProvider time, CancellationToken cancellationToken)
    {
        var process = new ProcessConfiguration { Arguments = ["/bin/sh", "-c", "echo $0; /bin/true"], Environment = ["PATH=/bin"] };
        var container = new Container
        {
            Id = new string('0', 64),
            Name = "rehearsal",
            Project = "",
            CreatedAt = time.GetUtcNow(),
            ImageId = "",
            Spec = new ContainerSpec { Image = "" },
            Process = process,
            Status = new ContainerStatus(),
            Endpoints = hasNetwork ? [Nowhere] : [],
        };
        GuestConfiguration configuration = LaunchPlan.Configuration(container, "squashfs", host: null, time);
        await agent.ConfigureAndStartAsync(configuration, LaunchPlan.Process(container, process, size: null), cancellationToken);
        await _ended.Task.WaitAsync(cancellationToken);
        await agent.ResetAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask OnOutputAsync(uint process, OutputStream stream, ulong position, ReadOnlyMemory<byte> data) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask OnExitAsync(uint process, ProcessExit exit)
    {
        if (process == Main)
            _ended.TrySetResult();
        return ValueTask.CompletedTask;
    }
}
