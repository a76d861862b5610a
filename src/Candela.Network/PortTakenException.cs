using System.Net;
using Candela.Model;
using Candela.Network.Plan;

namespace Candela.Network;

/// <summary>A port of the host cannot be published, since somebody has it (<see cref="ErrorCode.Conflict"/>).</summary>
/// <param name="protocol">Its protocol.</param>
/// <param name="address">The host's address; any address: all.</param>
/// <param name="port">The port.</param>
/// <param name="by">Who has it, for the message: <c>by a program of the host</c>.</param>
public sealed class PortTakenException(Protocol protocol, IPAddress address, ushort port, string by) : CandelaException(
    ErrorCode.Conflict, $"port {port}/{protocol.ToString().ToLowerInvariant()} of {address} is already in use {by}: publish another port, or stop what uses it")
{
    /// <summary>The port's protocol.</summary>
    public Protocol Protocol { get; } = protocol;

    /// <summary>The host's address; any address: all.</summary>
    public IPAddress Address { get; } = address;

    /// <summary>The port.</summary>
    public ushort Port { get; } = port;
}
