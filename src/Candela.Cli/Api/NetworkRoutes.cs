namespace Candela.Cli.Api;

/// <summary>Targets of the REST API, version 1: networks.</summary>
internal static class NetworkRoutes
{
    public const string Segments = "/v1/segments";
    public const string SecurityGroups = "/v1/security-groups";
    public const string NetworkPolicies = "/v1/network-policies";
    public const string Networking = "/v1/networking";
    public const string Flows = "/v1/flows";
    public const string FlowCounters = "/v1/flows/counters";

    public static string Segment(string reference) => $"{Segments}/{Uri.EscapeDataString(reference)}";

    public static string SecurityGroup(string name, string? action = null) => $"{SecurityGroups}/{Uri.EscapeDataString(name)}{(action is null ? "" : "/" + action)}";

    public static string NetworkPolicy(string name) => $"{NetworkPolicies}/{Uri.EscapeDataString(name)}";
}
