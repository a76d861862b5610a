using System.Collections.Frozen;
using System.Net;
using Candela.Network.Plan;

namespace Candela.Network.Dns;

/// <summary>What the DNS server of one segment answers to whom: a container that is on other segments, too, is told their names as well.</summary>
internal sealed class SegmentNames
{
    private readonly SegmentZone _zone;
    private readonly bool _isInternal;
    private readonly FrozenDictionary<IPAddress, (SegmentZone[] Zones, bool HasWayOut)> _others;

    private SegmentNames(SegmentSpec segment, SegmentZone zone, Dictionary<IPAddress, (SegmentZone[] Zones, bool HasWayOut)> others) =>
        (_isInternal, _zone, _others) = (segment.IsInternal, zone, others.ToFrozenDictionary());

    /// <summary>For all segments of a plan, by their ids.</summary>
    public static Dictionary<string, SegmentNames> Of(ProjectPlan plan)
    {
        ILookup<string, PortSpec> ports = plan.Ports.Values.ToLookup(p => p.SegmentId);
        Dictionary<string, SegmentZone> zones = plan.Segments.Values.ToDictionary(s => s.Id, s => new SegmentZone(s, ports[s.Id]));
        Dictionary<string, Dictionary<IPAddress, (SegmentZone[], bool)>> others = zones.Keys.ToDictionary(id => id, _ => new Dictionary<IPAddress, (SegmentZone[], bool)>());
        foreach (IGrouping<string, PortSpec> owned in plan.Ports.Values.Where(p => p.Owner.Length > 0 && p.Machine is null).GroupBy(p => p.Owner).Where(g => g.Skip(1).Any()))
        {
            bool hasWayOut = owned.Any(p => !plan.Segments[p.SegmentId].IsInternal);
            foreach (PortSpec port in owned)
            {
                SegmentZone[] elsewhere = [.. owned.Where(p => p != port).Select(p => zones[p.SegmentId])];
                foreach (IPAddress address in port.Addresses)
                    others[port.SegmentId][address] = (elsewhere, hasWayOut);
            }
        }

        return plan.Segments.Values.ToDictionary(s => s.Id, s => new SegmentNames(s, zones[s.Id], others[s.Id]));
    }

    /// <summary>Answers what is of the asker's segments, or may not be asked outside; null for what somebody else has to be asked.</summary>
    public byte[]? Answer(DnsQuery query, IPAddress asker, uint ttlSeconds)
    {
        (SegmentZone[] zones, bool hasWayOut) = _others.GetValueOrDefault(asker, ([], !_isInternal));
        SegmentZone zone = _zone.Knows(query) ? _zone : zones.FirstOrDefault(z => z.Knows(query)) ?? _zone;
        return zone.Answer(query, ttlSeconds) ?? (hasWayOut ? null : DnsMessage.Empty(query, DnsCode.Refused));
    }
}
