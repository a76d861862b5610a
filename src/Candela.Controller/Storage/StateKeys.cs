using System.Globalization;

namespace Candela.Controller.Storage;

/// <summary>Where documents are in the state store.</summary>
internal static class StateKeys
{
    public const string DefaultTenant = "default";
    public const string DefaultProject = "default";
    public const string Projects = "/projects/";
    public const string Events = "/events/";
    public const string Networks = "/networks/";
    public const string SecurityGroups = "/security-groups/";
    public const string NetworkPolicies = "/network-policies/";
    public const string Networking = "/networking/";
    public const string Volumes = "/volumes/";

    public static string Tenant(string tenant) => $"/tenants/{tenant}";

    public static string Project(string project) => $"{Projects}{project}";

    public static string Container(string project, string id) => $"{Projects}{project}/containers/{id}";

    public static string Network(string project, string id) => $"{Networks}{project}/{id}";

    public static string SecurityGroup(string project, string name) => $"{SecurityGroups}{project}/{name}";

    public static string NetworkPolicy(string project, string name) => $"{NetworkPolicies}{project}/{name}";

    public static string NetworkingOf(string project) => Networking + project;

    public static string Volume(string project, string name) => $"{Volumes}{project}/{name}";

    public static string Name(string project, string name) => $"{Projects}{project}/names/{name}";

    public static string EventChunk(long firstSequence) => Events + firstSequence.ToString("D19", CultureInfo.InvariantCulture);

    /// <summary>The document is a container.</summary>
    public static bool IsContainer(string key) => key.IndexOf('/', Projects.Length) is var slash and >= 0 && key.AsSpan(slash).StartsWith("/containers/");
}
