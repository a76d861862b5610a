using Candela.Network.Nftables;
using static Candela.Network.Nftables.NftType;

namespace Candela.Network.Firewall;

/// <summary>
/// The tables, sets and maps of the port firewall in a project's namespace. Rules never change; all that changes is what is in sets
/// and maps, and the small chains that verdict maps lead to.
/// </summary>
internal static class FirewallTables
{
    /// <summary>Layer 2: who may use which address.</summary>
    public static readonly NftTable Bridge = new(NftFamily.Bridge, "candela");

    /// <summary>Layers 3 and 4: who may talk to whom, and translation of addresses.</summary>
    public static readonly NftTable Inet = new(NftFamily.Inet, "candela");

    /// <summary>Which MAC and address belong to which link, for packets that come in and that go out by it.</summary>
    public static readonly NftSet Binding4 = new(Bridge, "binding4", [InterfaceName, Mac, Ipv4]);

    /// <inheritdoc cref="Binding4"/>
    public static readonly NftSet Binding6 = new(Bridge, "binding6", [InterfaceName, Mac, Ipv6]);

    /// <summary>Links that multicast and broadcast may go out by.</summary>
    public static readonly NftSet Multicast = new(Bridge, "multicast", [InterfaceName]);

    /// <summary>What a link may send and receive.</summary>
    public static readonly NftSet EgressLimits = new(Bridge, "egress-limits", [InterfaceName]) { IsLimitMap = true };

    /// <inheritdoc cref="EgressLimits"/>
    public static readonly NftSet IngressLimits = new(Bridge, "ingress-limits", [InterfaceName]) { IsLimitMap = true };

    /// <summary>Identity of the port that has an address.</summary>
    public static readonly NftSet Endpoints4 = new(Inet, "endpoints4", [Ipv4]) { Value = [Mark] };

    /// <inheritdoc cref="Endpoints4"/>
    public static readonly NftSet Endpoints6 = new(Inet, "endpoints6", [Ipv6]) { Value = [Mark] };

    /// <summary>Identity of addresses outside that policies tell apart.</summary>
    public static readonly NftSet Outside4 = new(Inet, "outside4", [Ipv4], NftSetKind.Interval) { Value = [Mark] };

    /// <inheritdoc cref="Outside4"/>
    public static readonly NftSet Outside6 = new(Inet, "outside6", [Ipv6], NftSetKind.Interval) { Value = [Mark] };

    /// <summary>From which link to which packets are forwarded at all.</summary>
    public static readonly NftSet Paths = new(Inet, "paths", [InterfaceName, InterfaceName]);

    /// <summary>Paths on which flows pass that no policy decides, for each side.</summary>
    public static readonly NftSet EgressDefault = new(Inet, "egress-default", [InterfaceName, InterfaceName]);

    /// <inheritdoc cref="EgressDefault"/>
    public static readonly NftSet IngressDefault = new(Inet, "ingress-default", [InterfaceName, InterfaceName]);

    /// <summary>Paths on which flows to published ports pass that no policy decides.</summary>
    public static readonly NftSet PublishedDefault = new(Inet, "published-default", [InterfaceName, InterfaceName]);

    /// <summary>Decision for a sender and a receiver, for each side.</summary>
    public static readonly NftSet EgressPairs = new(Inet, "egress-pairs", [Mark, Mark]) { IsVerdictMap = true };

    /// <inheritdoc cref="EgressPairs"/>
    public static readonly NftSet IngressPairs = new(Inet, "ingress-pairs", [Mark, Mark]) { IsVerdictMap = true };

    /// <summary>Decision for a sender (or receiver), where none is for the pair.</summary>
    public static readonly NftSet EgressAny = new(Inet, "egress-any", [Mark]) { IsVerdictMap = true };

    /// <inheritdoc cref="EgressAny"/>
    public static readonly NftSet IngressAny = new(Inet, "ingress-any", [Mark]) { IsVerdictMap = true };

    /// <summary>Container behind a published port.</summary>
    public static readonly NftSet Published4 = new(Inet, "published4", [NftType.Protocol, Port]) { Value = [Ipv4, Port] };

    /// <inheritdoc cref="Published4"/>
    public static readonly NftSet Published6 = new(Inet, "published6", [NftType.Protocol, Port]) { Value = [Ipv6, Port] };

    public static readonly NftSet[] Sets =
    [
        Binding4, Binding6, Multicast, EgressLimits, IngressLimits, Endpoints4, Endpoints6, Outside4, Outside6, Paths, EgressDefault, IngressDefault,
        PublishedDefault, EgressPairs, IngressPairs, EgressAny, IngressAny, Published4, Published6,
    ];
}

/// <summary>Names of the counters that are always there. Those of policies are named <c>policy-ID</c>.</summary>
internal static class FirewallCounters
{
    public const string Spoofed = "spoofed", Misdelivered = "misdelivered", Limited = "limited", Invalid = "invalid", Unrouted = "unrouted",
        AllowedByDefault = "allowed-by-default", DeniedByDefault = "denied-by-default", RefusedByGateway = "refused-by-gateway";

    public static readonly string[] OfBridge = [Spoofed, Misdelivered, Limited];

    public static readonly string[] OfInet = [Invalid, Unrouted, AllowedByDefault, DeniedByDefault, RefusedByGateway];

    public static string Policy(string policyId) => "policy-" + policyId;
}
