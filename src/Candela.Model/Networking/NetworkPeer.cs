namespace Candela.Model.Networking;

/// <summary>One end of the flows that a policy is about; just one of group, segment, workload, CIDR and DNS name is given.</summary>
/// <remarks>Members with defaults can be set: generated deserialization leaves them alone then when the body does not have them.</remarks>
public sealed record NetworkPeer
{
    /// <summary>Name of a security group: its members.</summary>
    public string? Group { get; init; }

    /// <summary>Name of a segment: the containers on it.</summary>
    public string? Segment { get; init; }

    /// <summary>
    /// An identity, <c>TENANT/PROJECT/NAME</c> as in its SPIFFE ID: the container that has it, by the platform's word and not by labels. NAME
    /// may be *: all of the project.
    /// </summary>
    public string? Workload { get; init; }

    /// <summary>Addresses inside or outside, as 10.0.0.0/8; for peers only.</summary>
    public string? Cidr { get; init; }

    /// <summary>Parts of <see cref="Cidr"/> that are not meant.</summary>
    public IReadOnlyList<string> Except { get; set; } = [];

    /// <summary>Name of hosts outside, or *.NAME for all below NAME; for peers of egress only.</summary>
    public string? DnsName { get; init; }
}
