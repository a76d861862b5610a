namespace Candela.Model.Networking;

/// <summary>What is to change of a segment; what is null stays.</summary>
public sealed record SegmentChange
{
    /// <summary>Names of all segments that packets are routed to and from, from now on.</summary>
    public IReadOnlyList<string>? Routes { get; init; }

    /// <summary>Most that each container may send, bytes per second; 0 takes the limit away.</summary>
    public long? EgressBytesPerSecond { get; init; }

    /// <summary>Most that each container may receive, bytes per second; 0 takes the limit away.</summary>
    public long? IngressBytesPerSecond { get; init; }
}
