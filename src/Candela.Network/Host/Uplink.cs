using System.Net;
using Candela.Network.Firewall;
using Candela.Network.Plan;

namespace Candela.Network.Host;

/// <summary>A project's way out: a veth between its namespace and the host's, with an address pair of its own for each IP version.</summary>
internal sealed record Uplink(string HostLink, IPAddress Outside4, IPAddress Inside4, IPAddress Outside6, IPAddress Inside6)
{
    /// <summary>Most projects on a machine.</summary>
    public const int Count = 16_384;

    /// <summary>Length of the prefixes of an address pair (RFC 3021, RFC 6164).</summary>
    public const int PrefixLength4 = 31, PrefixLength6 = 127;

    public static Uplink Of(ProjectPlan plan, HostOptions options)
    {
        UInt128 base4 = AddressRange.Of(options.TransitIpv4!.Value).First + (UInt128)(plan.Number * 2);
        UInt128 base6 = AddressRange.Of(options.TransitIpv6!.Value).First + (UInt128)(plan.Number * 2);
        return new Uplink(options.LinkPrefix + plan.Number, At(base4, false), At(base4 + 1, false), At(base6, true), At(base6 + 1, true));
    }

    /// <summary>A project with internal segments only has no way out.</summary>
    public static bool IsNeeded(ProjectPlan plan) => plan.Segments.Values.Any(s => !s.IsInternal);

    private static IPAddress At(UInt128 number, bool isIpv6) => new(AddressRange.Bytes(number, isIpv6));
}
