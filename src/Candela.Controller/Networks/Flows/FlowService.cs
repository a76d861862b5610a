using System.Runtime.CompilerServices;
using Candela.Controller.Containers;
using Candela.Controller.Storage;
using Candela.Machine;
using Candela.Model;
using Candela.Model.Networking;
using Candela.Network.Flows;
using Candela.Network.Plan;

namespace Candela.Controller.Networks.Flows;

/// <summary>The machine's flow log in the users' terms: containers by name, policies by name.</summary>
internal sealed class FlowService(IMachine machine, ContainerTable containers, ProjectTable projects, TimeProvider time) : IFlowService
{
    private const string PolicyPrefix = "policy-", PolicyReason = "policy";

    /// <inheritdoc/>
    public async IAsyncEnumerable<FlowRecord> ReadAsync(Caller caller, FlowQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        projects.Check(caller.Project);
        if (query.Limit is < 1 or > FlowLog.EntriesOfProject)
            throw new CandelaException(ErrorCode.InvalidArgument, $"the limit is 1 to {FlowLog.EntriesOfProject} entries, not {query.Limit}");
        if (query.Since > query.Until)
            throw new CandelaException(ErrorCode.InvalidArgument, "since is after until");
        string? container = query.Container is { } reference ? containers.Get(caller.Project, reference).Id : null;
        using var lifetime = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // What has not come by the end of its time does not come: the wait ends then.
        using ITimer? end = query is { Follow: true, Until: { } until } ? time.CreateTimer(_ => lifetime.Cancel(), null, Later(until), Timeout.InfiniteTimeSpan) : null;
        long after = 0;
        int limit = query.Limit;
        while (true)
        {
            IReadOnlyList<FlowEntry> entries = machine.ReadFlows(caller.Project, e => Fits(e, query, container), limit, after);
            // Containers that have been removed are known by the beginning of their ids only.
            Dictionary<string, Container> byDigits = entries.Count == 0 ? [] : containers.List(caller.Project).Select(e => e.Record).ToDictionary(c => NetworkService.ContainerDigitsOf(c.Id));
            foreach (FlowEntry entry in entries)
            {
                after = Math.Max(after, entry.Sequence);
                yield return Describe(byDigits, entry);
            }

            if (!query.Follow || time.GetUtcNow() > query.Until)
                yield break;
            try
            {
                await machine.WaitForFlowsAsync(caller.Project, after, lifetime.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                yield break;
            }

            limit = FlowLog.EntriesOfProject;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<FlowCounter>> CountAsync(Caller caller, CancellationToken cancellationToken)
    {
        projects.Check(caller.Project);
        return Task.FromResult<IReadOnlyList<FlowCounter>>([.. machine.CountFlows(caller.Project).OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => new FlowCounter
        {
            Reason = c.Key.StartsWith(PolicyPrefix, StringComparison.Ordinal) ? PolicyReason : c.Key,
            Policy = c.Key.StartsWith(PolicyPrefix, StringComparison.Ordinal) ? c.Key[PolicyPrefix.Length..] : null,
            Packets = (long)c.Value.Packets,
            Bytes = (long)c.Value.Bytes,
        })]);
    }

    private TimeSpan Later(DateTimeOffset until) => until - time.GetUtcNow() is var rest && rest > TimeSpan.Zero ? rest : TimeSpan.Zero;

    private static bool Fits(FlowEntry entry, FlowQuery query, string? container) =>
        (query.Since is not { } since || entry.Time >= since) && (query.Until is not { } until || entry.Time <= until) &&
        (query.Outcome is not { } outcome || Outcome(entry.Verdict) == outcome) && (query.Policy is not { } policy || entry.PolicyId == policy) &&
        (container is null || IsOf(entry.SourcePortId, container) || IsOf(entry.DestinationPortId, container));

    private static bool IsOf(string? portId, string container) => portId is not null && container.StartsWith(NetworkService.ContainerDigitsOf(portId), StringComparison.Ordinal);

    private static FlowRecord Describe(Dictionary<string, Container> byDigits, FlowEntry entry) => new()
    {
        Sequence = entry.Sequence,
        At = entry.Time,
        Outcome = Outcome(entry.Verdict),
        Policy = entry.PolicyId,
        Protocol = entry.Flow is { } flow ? ProtocolOf(flow.Protocol) : null,
        IcmpType = entry.Flow is { Protocol: Protocol.Icmp or Protocol.Icmp6 } icmp ? icmp.IcmpType : null,
        Source = entry.Flow is { } from ? End(byDigits, from.Source.ToString(), from.SourcePort, entry.SourcePortId) : null,
        Destination = entry.Flow is { } to ? End(byDigits, to.Destination.ToString(), to.DestinationPort, entry.DestinationPortId) : null,
        SourceMac = entry.SourceMac?.ToString(),
    };

    private static FlowEnd End(Dictionary<string, Container> byDigits, string address, ushort port, string? portId)
    {
        string? digits = portId is null ? null : NetworkService.ContainerDigitsOf(portId);
        Container? container = digits is null ? null : byDigits.GetValueOrDefault(digits);
        return new FlowEnd { Address = address, Port = port == 0 ? null : port, Container = container?.Name, ContainerId = container?.Id ?? digits };
    }

    private static FlowOutcome Outcome(FlowVerdict verdict) => verdict switch
    {
        FlowVerdict.Allowed => FlowOutcome.Allowed,
        FlowVerdict.Unrouted => FlowOutcome.Unrouted,
        FlowVerdict.Spoofed => FlowOutcome.Spoofed,
        _ => FlowOutcome.Denied,
    };

    private static NetworkProtocol ProtocolOf(Protocol protocol) => protocol switch
    {
        Protocol.Tcp => NetworkProtocol.Tcp,
        Protocol.Udp => NetworkProtocol.Udp,
        Protocol.Sctp => NetworkProtocol.Sctp,
        Protocol.Icmp => NetworkProtocol.Icmp,
        Protocol.Icmp6 => NetworkProtocol.Icmp6,
        _ => NetworkProtocol.Other,
    };
}
