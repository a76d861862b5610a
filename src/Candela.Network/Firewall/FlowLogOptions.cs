using Candela.Network.Flows;

namespace Candela.Network.Firewall;

/// <summary>What goes to the flow log.</summary>
public sealed record FlowLogOptions
{
    /// <summary>The group of nfnetlink_log in each project's namespace.</summary>
    public ushort Group { get; init; } = 1;

    /// <summary>One of so many new flows that pass is logged, at random; 1 for all.</summary>
    public uint OneOf { get; init; } = 1;

    /// <summary>Most packets a second that are logged for each reason for which packets are dropped.</summary>
    public uint DeniedPerSecond { get; init; } = 100;

    /// <summary>Bytes of a packet that are looked at: enough for the headers.</summary>
    public uint SnapBytes { get; init; } = 96;
}

/// <summary>What the kernel says of a logged packet.</summary>
internal static class FlowLogPrefix
{
    public const string Spoofed = "spoofed", Unrouted = "unrouted", AllowedByDefault = "allow", DeniedByDefault = "deny";

    public static string Policy(Plan.Policy policy) => $"{(policy.Action == Plan.PolicyAction.Allow ? AllowedByDefault : DeniedByDefault)} {policy.Id}";

    public static (FlowVerdict Verdict, string? PolicyId) Read(string prefix)
    {
        int space = prefix.IndexOf(' ', StringComparison.Ordinal);
        FlowVerdict verdict = (space < 0 ? prefix : prefix[..space]) switch
        {
            AllowedByDefault => FlowVerdict.Allowed,
            Spoofed => FlowVerdict.Spoofed,
            Unrouted => FlowVerdict.Unrouted,
            _ => FlowVerdict.Denied,
        };
        return (verdict, space < 0 ? null : prefix[(space + 1)..]);
    }
}
