using System.Net;
using Candela.Network.Plan;

namespace Candela.Network.Flows;

/// <summary>What a flow is, as its first packet was.</summary>
/// <param name="Source">The sender.</param>
/// <param name="Destination">The receiver, behind translation.</param>
/// <param name="Protocol">The protocol.</param>
/// <param name="SourcePort">The sender's port; 0 if the protocol has none.</param>
/// <param name="DestinationPort">The receiver's port, behind translation; 0 if the protocol has none.</param>
/// <param name="IcmpType">The type, for ICMP.</param>
/// <param name="IsPublished">It came to a published port.</param>
public readonly record struct FlowTuple(IPAddress Source, IPAddress Destination, Protocol Protocol, ushort SourcePort, ushort DestinationPort, byte IcmpType, bool IsPublished);
