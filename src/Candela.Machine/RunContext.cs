using System.Diagnostics;
using Candela.Guest.Protocol.Host;
using Candela.Machine.Identities;
using Candela.Model;
using Microsoft.Extensions.Logging;

namespace Candela.Machine;

/// <summary>Opens the host's end of an agent channel; the stream may hold remains of an earlier connection when torn.</summary>
public delegate Task<IAgent> AgentConnector(Stream stream, IAgentEvents events, bool mayBeTorn, CancellationToken cancellationToken);

/// <summary>What every run needs of its Machine.</summary>
internal sealed record RunContext(
    MachineOptions Options,
    TimeProvider Time,
    ILogger Logger,
    AgentConnector ConnectAgent,
    Func<string, string> JournalPath,
    Action<string, ContainerExit> Exited,
    Action<string, string, ContainerExit> ExecExited)
{
    /// <summary>Who gives containers their identities; null: nobody.</summary>
    public IContainerIdentities? Identities { get; set; }
}

/// <summary>Measures the stages of a start.</summary>
internal sealed class StageClock
{
    private readonly List<StageTiming> _stages = [];
    private long _last = Stopwatch.GetTimestamp();

    /// <summary>Stages so far.</summary>
    public IReadOnlyList<StageTiming> Stages => _stages;

    /// <summary>The stage ends now.</summary>
    public void Mark(string stage)
    {
        long now = Stopwatch.GetTimestamp();
        _stages.Add(new StageTiming(stage, Math.Round(Stopwatch.GetElapsedTime(_last, now).TotalMilliseconds, 2)));
        _last = now;
    }

    /// <summary>Stages that someone else measured within the present one.</summary>
    public void Add(string prefix, IEnumerable<StageTiming> stages) =>
        _stages.AddRange(stages.Select(s => s with { Stage = $"{prefix}: {s.Stage}" }));
}
