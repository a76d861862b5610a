using Candela.Network.Plan;

namespace Candela.Network.Dns;

/// <summary>The DNS servers of all segments on this machine.</summary>
/// <remarks>Not for several threads at once.</remarks>
internal sealed class NameServers(DnsForwarder forwarder) : IDisposable
{
    private readonly Dictionary<string, (ProjectNetwork Network, SegmentSpec Segment, SegmentDns Server)> _servers = [];

    /// <summary>Serves the segments of a project with the names that they have by now.</summary>
    public void Apply(ProjectNetwork network, ProjectPlan plan)
    {
        foreach ((string id, (ProjectNetwork owner, SegmentSpec segment, SegmentDns server)) in _servers.ToArray())
        {
            bool isGone = owner == network && (!plan.Segments.TryGetValue(id, out SegmentSpec? kept) || !Equals(kept.Gateway4, segment.Gateway4) ||
                !Equals(kept.Gateway6, segment.Gateway6) || kept.Mtu != segment.Mtu);
            if (isGone)
            {
                server.Dispose();
                _servers.Remove(id);
            }
        }

        Dictionary<string, SegmentNames> names = SegmentNames.Of(plan);
        foreach (SegmentSpec segment in plan.Segments.Values)
        {
            if (_servers.TryGetValue(segment.Id, out (ProjectNetwork Network, SegmentSpec Segment, SegmentDns Server) entry))
                entry.Server.Change(names[segment.Id]);
            else
                _servers.Add(segment.Id, (network, segment, new SegmentDns(network.Namespace, segment, names[segment.Id], forwarder, network.Learn)));
        }
    }

    public void Remove(ProjectNetwork network)
    {
        foreach ((string id, (_, _, SegmentDns server)) in _servers.Where(s => s.Value.Network == network).ToArray())
        {
            server.Dispose();
            _servers.Remove(id);
        }
    }

    public void Dispose()
    {
        foreach ((_, _, SegmentDns server) in _servers.Values)
            server.Dispose();
        _servers.Clear();
    }
}
