using Candela.Network.Dns;
using Candela.Network.Firewall;
using Candela.Network.Host;
using Candela.Network.Namespaces;

namespace Candela.Network;

/// <summary>Where the network of a machine keeps what, and how it shows.</summary>
public sealed record NetworkOptions
{
    /// <summary>Folder for the files that namespaces are mounted on; gone after a reboot, as they are.</summary>
    public required string RunFolder { get; init; }

    /// <summary>Folder for what has to be remembered until Candela is removed.</summary>
    public required string StateFolder { get; init; }

    /// <summary>The host's namespace; null for that of the process.</summary>
    public NetworkNamespace? Host { get; init; }

    /// <summary>What shows in the host's namespace.</summary>
    public HostOptions HostOptions { get; init; } = new();

    /// <summary>The resolvers that names from outside are asked of.</summary>
    public HostResolvers Resolvers { get; init; } = new();

    /// <summary>The time.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>What is logged.</summary>
    public FlowLogOptions FlowLog { get; init; } = new();
}
