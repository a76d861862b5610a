using System.Net;
using Candela.Model;
using Candela.Network;
using Candela.Network.Plan;

namespace Candela.Controller.Networks;

/// <summary>Chooses ports of the host where a specification names none, or a range: of a range the first that is free.</summary>
internal sealed class HostPortChoice
{
    // Of Linux's range for ports that are chosen (ip-sysctl.rst, ip_local_port_range).
    private const ushort First = 32768, Last = 60999;
    private ushort _next = First;

    /// <summary>The protocol of a published port.</summary>
    public static Protocol Protocol(PortPublication port) => port.Protocol switch
    {
        "udp" => Network.Plan.Protocol.Udp,
        "sctp" => Network.Plan.Protocol.Sctp,
        _ => Network.Plan.Protocol.Tcp,
    };

    /// <summary>Whether a port that is taken is one that was chosen, so that another can be.</summary>
    public static bool HasChosen(IReadOnlyList<PortPublication> asked, IReadOnlyList<PortPublication> chosen, PortTakenException taken) =>
        asked.Zip(chosen).Any(p => IsChoice(p.First) && p.Second.HostPort == taken.Port && Protocol(p.Second) == taken.Protocol);

    /// <summary>Ports that are not taken; those that are named stay what they are.</summary>
    /// <param name="asked">What the specification says.</param>
    /// <param name="taken">What is taken.</param>
    /// <exception cref="CandelaException">Conflict: all of a range are taken.</exception>
    public IReadOnlyList<PortPublication> Choose(IReadOnlyList<PortPublication> asked, TakenPorts taken)
    {
        var own = new TakenPorts();
        foreach (PortPublication port in asked.Where(static p => !IsChoice(p)))
            own.Add(Protocol(port), Address(port), port.HostPort);
        return [.. asked.Select(port => IsChoice(port) ? Choose(port, taken, own) : port)];
    }

    private static bool IsChoice(PortPublication port) => port.HostPort == 0 || port.LastHostPort != 0;

    private static IPAddress? Address(PortPublication port) => port.HostAddress is { } address ? IPAddress.Parse(address) : null;

    private PortPublication Choose(PortPublication port, TakenPorts taken, TakenPorts own)
    {
        (ushort first, ushort last, ushort next) = port.HostPort == 0 ? (First, Last, _next) : (port.HostPort, port.LastHostPort, port.HostPort);
        (Protocol protocol, IPAddress? address) = (Protocol(port), Address(port));
        for (int i = 0, count = last - first + 1; i < count; i++)
        {
            var candidate = (ushort)(first + ((next - first + i) % count));
            if (taken.Has(protocol, address, candidate) || own.Has(protocol, address, candidate))
                continue;
            own.Add(protocol, address, candidate);
            if (port.HostPort == 0)
                _next = candidate == Last ? First : (ushort)(candidate + 1);
            return port with { HostPort = candidate, LastHostPort = 0 };
        }

        throw new CandelaException(ErrorCode.Conflict, $"all ports from {first} to {last} ({port.Protocol}) are already in use: publish on others, or stop what uses them");
    }
}
