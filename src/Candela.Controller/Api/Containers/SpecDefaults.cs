using Candela.Model;

namespace Candela.Controller.Api.Containers;

/// <summary>
/// Puts the defaults of <see cref="ContainerSpec"/> back: deserialization by generated code leaves members that the body does not
/// have at null or zero instead of at their initializers.
/// </summary>
internal static class SpecDefaults
{
    private static readonly ContainerSpec Default = new() { Image = "" };

    public static ContainerSpec Complete(ContainerSpec spec) => spec with
    {
        Environment = spec.Environment ?? Default.Environment,
        GroupAdd = spec.GroupAdd ?? Default.GroupAdd,
        Labels = spec.Labels ?? Default.Labels,
        Tmpfs = spec.Tmpfs ?? Default.Tmpfs,
        Ulimits = spec.Ulimits ?? Default.Ulimits,
        Sysctls = spec.Sysctls ?? Default.Sysctls,
        CapAdd = spec.CapAdd ?? Default.CapAdd,
        CapDrop = spec.CapDrop ?? Default.CapDrop,
        ExtraHosts = spec.ExtraHosts ?? Default.ExtraHosts,
        DnsServers = spec.DnsServers ?? Default.DnsServers,
        DnsSearch = spec.DnsSearch ?? Default.DnsSearch,
        DnsOptions = spec.DnsOptions ?? Default.DnsOptions,
        NetworkMode = spec.NetworkMode ?? Default.NetworkMode,
        Networks = spec.Networks ?? Default.Networks,
        ExposedPorts = spec.ExposedPorts ?? Default.ExposedPorts,
        PublishedPorts = spec.PublishedPorts ?? Default.PublishedPorts,
        RestartPolicy = spec.RestartPolicy ?? Default.RestartPolicy,
    };
}
