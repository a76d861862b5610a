using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>
/// Puts defaults back: deserialization by generated code leaves members that a document does not have at null or zero instead of at their
/// initializers. A body may leave them out, and records of earlier versions do not know them.
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
        Volumes = spec.Volumes ?? Default.Volumes,
        VolumesFrom = spec.VolumesFrom ?? Default.VolumesFrom,
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
        Hints = spec.Hints is { } hints ? hints with { CpusetCpus = hints.CpusetCpus ?? "", CpusetMems = hints.CpusetMems ?? "" } : Default.Hints,
        SecurityOptions = spec.SecurityOptions ?? Default.SecurityOptions,
        Log = spec.Log is { } log ? log with { Options = log.Options ?? Default.Log.Options } : Default.Log,
        HealthCheck = spec.HealthCheck is { } check ? check with { Test = check.Test ?? [] } : null,
    };

    public static Container Complete(Container container) => container with
    {
        Spec = Complete(container.Spec),
        Networks = container.Networks ?? [],
        Endpoints = container.Endpoints ?? [],
        ExposedPorts = container.ExposedPorts ?? [],
        Published = container.Published ?? [],
        Volumes = container.Volumes ?? [],
    };
}
