using System.Collections.Immutable;
using System.Net;
using Candela.Controller.Containers;
using Candela.Controller.Events;
using Candela.Controller.Networks.Policies;
using Candela.Controller.Storage;
using Candela.Machine;
using Candela.Model;
using Candela.Model.Networking;
using Candela.Network;
using Candela.Network.Addressing;
using Candela.Network.Plan;

namespace Candela.Controller.Networks;

/// <summary>
/// Networks, and the containers' connections to them. A connection lasts from the start of a container to its end; the machine's plan has
/// just the networks that somebody is connected to.
/// </summary>
internal sealed class NetworkService(NetworkTable table, PolicyTable policies, ContainerTable containers, ProjectTable projects, EventLog events, IMachine machine) : INetworkService, IDisposable
{
    private const int PortIdDigits = 24, NameDigits = 12;
    private const int FirstChosenPort = 32768, LastChosenPort = 60999, Tries = 100;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly MacPool _macs = new();
    private NetworkPlan _plan = new();
    private int _runs;
    private int _nextPort = FirstChosenPort;

    public bool IsAvailable => machine.HasNetworks;

    public Task<IReadOnlyList<ContainerNetwork>> ListAsync(Caller caller, CancellationToken cancellationToken) => UnderGateAsync<IReadOnlyList<ContainerNetwork>>(async () =>
    {
        await EnsureDefaultAsync(caller.Project);
        return [.. table.Of(caller.Project).Select(n => n.Network)];
    }, cancellationToken);

    public Task<ContainerNetwork> GetAsync(Caller caller, string reference, CancellationToken cancellationToken) => UnderGateAsync(async () =>
    {
        await EnsureDefaultAsync(caller.Project);
        return table.Find(caller.Project, reference).Network;
    }, cancellationToken);

    public Task<ContainerNetwork> CreateAsync(Caller caller, NetworkSpec spec, CancellationToken cancellationToken) => UnderGateAsync(async () =>
    {
        projects.Check(caller.Project);
        await EnsureDefaultAsync(caller.Project);
        if (spec.Name is "none" or "host" or "default" || spec.Name.StartsWith("container:", StringComparison.Ordinal))
            throw new CandelaException(ErrorCode.Conflict, $"operation is not permitted on predefined {spec.Name} network");
        ContainerNetwork network = (await table.CreateAsync(caller.Project, spec, machine.RoutedNetworks(), isBuiltIn: false, CancellationToken.None)).Network;
        Tell(network, "create");
        return network;
    }, cancellationToken);

    public Task<ContainerNetwork> UpdateAsync(Caller caller, string reference, SegmentChange change, CancellationToken cancellationToken) => UnderGateAsync(async () =>
    {
        await EnsureDefaultAsync(caller.Project);
        NetworkEntry entry = table.Find(caller.Project, reference);
        IReadOnlyList<(NetworkEntry Entry, ContainerNetwork Network)> changed = table.Changed(entry, change);
        NetworkPlan former = _plan;
        await ApplyAsync(With(_plan, caller.Project, changed));
        try
        {
            await table.UpdateAsync(changed, CancellationToken.None);
        }
        catch
        {
            await ApplyAsync(former);
            throw;
        }

        Tell(entry.Network, "update");
        return entry.Network;
    }, cancellationToken);

    public Task RemoveAsync(Caller caller, string reference, CancellationToken cancellationToken) => UnderGateAsync(async () =>
    {
        await EnsureDefaultAsync(caller.Project);
        await RemoveAsync(table.Find(caller.Project, reference));
        return true;
    }, cancellationToken);

    public Task<IReadOnlyList<ContainerNetwork>> PruneAsync(Caller caller, Func<ContainerNetwork, bool> filter, CancellationToken cancellationToken) => UnderGateAsync<IReadOnlyList<ContainerNetwork>>(async () =>
    {
        List<ContainerNetwork> removed = [];
        foreach (NetworkEntry entry in table.Of(caller.Project).Where(n => !n.Network.IsBuiltIn && filter(n.Network) && !UsersOf(n.Network).Any() && policies.UserOfSegment(n.Network.Project, n.Network.Name) is null).ToArray())
        {
            await RemoveAsync(entry);
            removed.Add(entry.Network);
        }

        return removed;
    }, cancellationToken);

    /// <summary>What is wrong with a container's wishes, before it is made; the network's name is resolved at each start.</summary>
    /// <exception cref="CandelaException">NotFound, NotSupported or InvalidArgument.</exception>
    public Task CheckAsync(string project, ContainerSpec spec) => UnderGateAsync(async () =>
    {
        if (spec.NetworkMode is "none" or "")
        {
            if (spec.PublishedPorts.Count > 0)
                throw new CandelaException(ErrorCode.InvalidArgument, "conflicting options: port publishing and the container type network mode: with --network none nothing can be published");
            return true;
        }

        if (!IsAvailable)
            throw new CandelaException(ErrorCode.NotSupported, "this machine has no networks: candela machine info says why; --network none works");
        await EnsureDefaultAsync(project);
        NetworkEntry entry = table.Find(project, spec.NetworkMode);
        if (spec.NetworkIpv4Address is { } address && (!IPAddress.TryParse(address, out IPAddress? parsed) || !IPNetwork.Parse(entry.Network.Ipv4Subnet).Contains(parsed)))
            throw new CandelaException(ErrorCode.InvalidArgument, $"{address} is no address in {entry.Network.Ipv4Subnet} of network {entry.Network.Name}");
        return true;
    }, CancellationToken.None);

    /// <summary>Connects a container that is about to start.</summary>
    /// <returns>Its connections and published ports, for its record.</returns>
    /// <exception cref="CandelaException">No address is free, or a published port is taken.</exception>
    public Task<(IReadOnlyList<NetworkEndpoint> Endpoints, IReadOnlyList<PortPublication> Published)> ConnectAsync(Container container) => UnderGateAsync(async () =>
    {
        ContainerSpec spec = container.Spec;
        if (spec.NetworkMode is "none" or "")
            return ((IReadOnlyList<NetworkEndpoint>)[], (IReadOnlyList<PortPublication>)[]);
        await EnsureDefaultAsync(container.Project);
        NetworkEntry entry = table.Find(container.Project, spec.NetworkMode);
        NetworkEndpoint endpoint = Assign(entry, container);
        try
        {
            for (int attempt = 0; ; attempt++)
            {
                PortPublication[] published = [.. spec.PublishedPorts.Select(p => p.HostPort == 0 ? p with { HostPort = NextPort() } : p)];
                try
                {
                    await ApplyAsync(With(_plan, entry, container, endpoint, published));
                    return ([endpoint], published);
                }
                catch (CandelaException e) when (e.Code == ErrorCode.Conflict && spec.PublishedPorts.Any(p => p.HostPort == 0) && attempt < Tries)
                {
                    // A chosen port may be taken by a program of the host: the next one.
                }
            }
        }
        catch
        {
            Release(endpoint);
            throw;
        }
    }, CancellationToken.None);

    /// <summary>Disconnects a container that has ended.</summary>
    public Task DisconnectAsync(Container container) => container.Endpoints.Count == 0 ? Task.CompletedTask : UnderGateAsync(async () =>
    {
        foreach (NetworkEndpoint endpoint in container.Endpoints)
        {
            if (_plan.Projects.TryGetValue(container.Project, out ProjectPlan? project) && project.Ports.ContainsKey(endpoint.PortId))
                await ApplyAsync(Without(_plan, project, endpoint));
            Release(endpoint);
        }

        return true;
    }, CancellationToken.None);

    /// <summary>Gives the ports of a container that has another name this name and the identity that goes with it.</summary>
    public Task RenamedAsync(Container container) => container.Endpoints.Count == 0 ? Task.CompletedTask : UnderGateAsync(async () =>
    {
        if (!_plan.Projects.TryGetValue(container.Project, out ProjectPlan? project))
            return false;
        ImmutableDictionary<string, PortSpec> ports = project.Ports;
        foreach (NetworkEndpoint endpoint in container.Endpoints)
        {
            if (ports.TryGetValue(endpoint.PortId, out PortSpec? port))
                ports = ports.SetItem(port.Id, port with { Labels = WorkloadGroups.Label(container.Name, container.Spec.Labels), Names = NamesOf(container, endpoint) });
        }

        await ApplyAsync(_plan with { Projects = _plan.Projects.SetItem(project.Id, project with { Ports = ports }) });
        return true;
    }, CancellationToken.None);

    /// <summary>Takes on what runs, at the daemon's start: the machine's networks become what the records say.</summary>
    public Task ResumeAsync(IEnumerable<Container> running) => UnderGateAsync(async () =>
    {
        NetworkPlan plan = new();
        foreach (Container container in running)
        {
            foreach (NetworkEndpoint endpoint in container.Endpoints)
            {
                if (table.ById(endpoint.NetworkId) is not { } entry)
                    continue;
                Hold(entry, endpoint);
                plan = With(plan, entry, container, endpoint, container.Published);
            }
        }

        await ApplyAsync(plan);
        return true;
    }, CancellationToken.None);

    /// <summary>The beginning of a container's id, of the id itself or of that of one of its ports.</summary>
    public static string ContainerDigitsOf(string id) => id[..PortIdDigits];

    /// <summary>Makes the rules of a project hold, if it has networks on this machine now. To be called under the gate.</summary>
    /// <exception cref="CandelaException">The machine refuses them; what held goes on to hold.</exception>
    public Task ApplyRulesAsync(string project, ProjectRules rules) => _plan.Projects.TryGetValue(project, out ProjectPlan? plan)
        ? ApplyAsync(_plan with { Projects = _plan.Projects.SetItem(project, rules.ApplyTo(plan)) })
        : Task.CompletedTask;

    /// <summary>Names of the connected containers that are members of a group. To be called under the gate.</summary>
    public IReadOnlyList<string> ContainersOf(string project, Network.Plan.SecurityGroup group)
    {
        if (!_plan.Projects.TryGetValue(project, out ProjectPlan? plan))
            return [];
        var members = plan.Ports.Values.Where(p => group.Has(p.Labels)).Select(p => p.Id).ToHashSet();
        return [.. containers.List(project).Select(e => e.Record).Where(c => c.Endpoints.Any(e => members.Contains(e.PortId))).Select(c => c.Name).Order(StringComparer.Ordinal)];
    }

    /// <summary>One at a time: the records of networks and policies, and the plan that follows from them.</summary>
    public async Task<T> UnderGateAsync<T>(Func<Task<T>> action, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return await action();
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private NetworkPlan With(NetworkPlan plan, NetworkEntry entry, Container container, NetworkEndpoint endpoint, IReadOnlyList<PortPublication> published)
    {
        ProjectPlan project = plan.Projects.GetValueOrDefault(container.Project) ??
            policies.Of(container.Project).Rules.ApplyTo(new ProjectPlan { Id = container.Project, Number = entry.ProjectNumber });
        if (!project.Segments.ContainsKey(entry.Network.Id))
            project = Routed(project with { Segments = project.Segments.Add(entry.Network.Id, Segment(entry.Network)) }, id => table.ById(id)?.Network);
        var port = new PortSpec
        {
            Id = endpoint.PortId,
            SegmentId = entry.Network.Id,
            Mac = MacAddress.Parse(endpoint.Mac),
            Ipv4 = Address(endpoint.Ipv4Address),
            Ipv6 = Address(endpoint.Ipv6Address),
            Labels = WorkloadGroups.Label(container.Name, container.Spec.Labels),
            Names = NamesOf(container, endpoint),
            EgressBytesPerSecond = entry.Network.EgressBytesPerSecond,
            IngressBytesPerSecond = entry.Network.IngressBytesPerSecond,
        };
        project = project with
        {
            Ports = project.Ports.SetItem(port.Id, port),
            Published = published.Count == 0 ? project.Published : [.. project.Published, .. published.Select(p => Publication(p, port.Id))],
        };
        return plan with { Projects = plan.Projects.SetItem(project.Id, project) };
    }

    private static ImmutableArray<string> NamesOf(Container container, NetworkEndpoint endpoint)
    {
        string[] names = [container.Name, container.Id[..NameDigits], .. container.Spec.Hostname is { } host ? (string[])[host] : [], .. endpoint.Aliases];
        return [.. names.Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    // Routes and limits of networks that change.
    private NetworkPlan With(NetworkPlan plan, string projectId, IReadOnlyList<(NetworkEntry Entry, ContainerNetwork Network)> changed)
    {
        if (!plan.Projects.TryGetValue(projectId, out ProjectPlan? project))
            return plan;
        var byId = changed.ToDictionary(c => c.Network.Id, c => c.Network);
        var ports = project.Ports.ToBuilder();
        foreach (PortSpec port in project.Ports.Values)
        {
            if (byId.TryGetValue(port.SegmentId, out ContainerNetwork? network) &&
                (port.EgressBytesPerSecond, port.IngressBytesPerSecond) != (network.EgressBytesPerSecond, network.IngressBytesPerSecond))
                ports[port.Id] = port with { EgressBytesPerSecond = network.EgressBytesPerSecond, IngressBytesPerSecond = network.IngressBytesPerSecond };
        }

        project = Routed(project with { Ports = ports.ToImmutable() }, id => byId.GetValueOrDefault(id) ?? table.ById(id)?.Network);
        return plan with { Projects = plan.Projects.SetItem(projectId, project) };
    }

    // The declared routes between the networks that are in the plan.
    private static ProjectPlan Routed(ProjectPlan project, Func<string, ContainerNetwork?> network) => project with
    {
        Routes = [.. project.Segments.Keys.Order(StringComparer.Ordinal).SelectMany(id => (network(id)?.Routes ?? [])
            .Where(other => string.CompareOrdinal(id, other) < 0 && project.Segments.ContainsKey(other)).Select(other => new SegmentRoute(id, other)))],
    };

    private static NetworkPlan Without(NetworkPlan plan, ProjectPlan project, NetworkEndpoint endpoint)
    {
        project = project with { Ports = project.Ports.Remove(endpoint.PortId) };
        if (project.Published.Any(p => p.PortId == endpoint.PortId))
            project = project with { Published = [.. project.Published.Where(p => p.PortId != endpoint.PortId)] };
        if (!project.Ports.Values.Any(p => p.SegmentId == endpoint.NetworkId))
        {
            project = project with
            {
                Segments = project.Segments.Remove(endpoint.NetworkId),
                Routes = [.. project.Routes.Where(r => r.First != endpoint.NetworkId && r.Second != endpoint.NetworkId)],
            };
        }

        return plan with { Projects = project.Segments.IsEmpty ? plan.Projects.Remove(project.Id) : plan.Projects.SetItem(project.Id, project) };
    }

    private static SegmentSpec Segment(ContainerNetwork network) => new()
    {
        Id = network.Id,
        Ipv4 = IPNetwork.Parse(network.Ipv4Subnet),
        Gateway4 = IPAddress.Parse(network.Ipv4Gateway),
        Ipv6 = network.Ipv6Subnet is { } subnet ? IPNetwork.Parse(subnet) : null,
        Gateway6 = Address(network.Ipv6Gateway),
        IsInternal = network.IsInternal,
    };

    private static PublishedPort Publication(PortPublication publication, string portId) => new()
    {
        PortId = portId,
        Protocol = publication.Protocol switch
        {
            "udp" => Protocol.Udp,
            "sctp" => Protocol.Sctp,
            _ => Protocol.Tcp,
        },
        HostAddress = publication.HostAddress is { } address ? IPAddress.Parse(address) : null,
        HostPort = publication.HostPort,
        ContainerPort = publication.ContainerPort,
    };

    private static IPAddress? Address(string? text) => text is null ? null : IPAddress.Parse(text);

    private NetworkEndpoint Assign(NetworkEntry entry, Container container)
    {
        ContainerNetwork network = entry.Network;
        IPAddress? ipv4 = null;
        try
        {
            if (container.Spec.NetworkIpv4Address is { } asked)
                entry.Ipv4.Take(ipv4 = IPAddress.Parse(asked));
            else
                ipv4 = entry.Ipv4.Take();
            IPAddress? ipv6 = entry.Ipv6?.Take();
            return new NetworkEndpoint
            {
                NetworkId = network.Id,
                NetworkName = network.Name,
                PortId = $"{container.Id[..PortIdDigits]}-{Interlocked.Increment(ref _runs)}-{Environment.TickCount64:x}",
                Mac = _macs.Take().ToString(),
                Mtu = 1500,
                Ipv4Address = ipv4.ToString(),
                Ipv4PrefixLength = entry.Ipv4.Network.PrefixLength,
                Ipv4Gateway = network.Ipv4Gateway,
                Ipv6Address = ipv6?.ToString(),
                Ipv6PrefixLength = entry.Ipv6?.Network.PrefixLength ?? 0,
                Ipv6Gateway = network.Ipv6Gateway,
                IsInternal = network.IsInternal,
                Aliases = container.Spec.NetworkAliases,
            };
        }
        catch (CandelaException e) when (e.Code == ErrorCode.ResourceExhausted && ipv4 is not null)
        {
            entry.Ipv4.Return(ipv4);
            throw;
        }
    }

    private void Hold(NetworkEntry entry, NetworkEndpoint endpoint)
    {
        _macs.Take(MacAddress.Parse(endpoint.Mac));
        if (endpoint.Ipv4Address is { } ipv4)
            entry.Ipv4.Take(IPAddress.Parse(ipv4));
        if (endpoint.Ipv6Address is { } ipv6)
            entry.Ipv6?.Take(IPAddress.Parse(ipv6));
    }

    private void Release(NetworkEndpoint endpoint)
    {
        _macs.Return(MacAddress.Parse(endpoint.Mac));
        NetworkEntry? entry = table.ById(endpoint.NetworkId);
        if (endpoint.Ipv4Address is { } ipv4)
            entry?.Ipv4.Return(IPAddress.Parse(ipv4));
        if (endpoint.Ipv6Address is { } ipv6)
            entry?.Ipv6?.Return(IPAddress.Parse(ipv6));
    }

    private ushort NextPort()
    {
        int port = _nextPort;
        _nextPort = port == LastChosenPort ? FirstChosenPort : port + 1;
        return (ushort)port;
    }

    private async Task ApplyAsync(NetworkPlan plan)
    {
        await machine.ApplyNetworkAsync(plan, CancellationToken.None);
        _plan = plan;
    }

    private IEnumerable<Container> UsersOf(ContainerNetwork network) => containers.List(network.Project).Select(e => e.Record).Where(c => c.Endpoints.Any(e => e.NetworkId == network.Id));

    private async Task RemoveAsync(NetworkEntry entry)
    {
        if (entry.Network.IsBuiltIn)
            throw new CandelaException(ErrorCode.PermissionDenied, $"{entry.Network.Name} is a pre-defined network and cannot be removed");
        if (UsersOf(entry.Network).Select(c => c.Name).ToArray() is { Length: > 0 } users)
            throw new CandelaException(ErrorCode.Conflict, $"error while removing network: network {entry.Network.Name} has active endpoints (containers {string.Join(", ", users)}): stop them first");
        if (policies.UserOfSegment(entry.Network.Project, entry.Network.Name) is { } policy)
            throw new CandelaException(ErrorCode.Conflict, $"network policy {policy.Name} speaks of network {entry.Network.Name}: remove or change that first");
        await table.RemoveAsync(entry, CancellationToken.None);
        Tell(entry.Network, "destroy");
    }

    private async Task EnsureDefaultAsync(string project)
    {
        projects.Check(project);
        if (!table.Of(project).Any(n => n.Network.IsBuiltIn))
            await table.CreateAsync(project, new NetworkSpec { Name = INetworkService.DefaultName }, machine.RoutedNetworks(), isBuiltIn: true, CancellationToken.None);
    }

    private void Tell(ContainerNetwork network, string action) =>
        events.Add(network.Project, "network", action, network.Id, new Dictionary<string, string> { ["name"] = network.Name, ["type"] = "bridge" });
}
