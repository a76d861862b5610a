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
/// just the networks that somebody is connected to, or was a moment ago: to make a network costs more than to connect to one.
/// </summary>
internal sealed class NetworkService(
    NetworkTable table, PolicyTable policies, ContainerTable containers, ProjectTable projects, EventLog events, IMachine machine, BackgroundTasks background, TimeProvider time)
    : INetworkService, IDisposable
{
    /// <summary>How long the machine keeps a network that nobody is connected to any more.</summary>
    public static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(15);

    private const int PortIdDigits = 24, NameDigits = 12;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly MacPool _macs = new();
    private readonly HostPortChoice _hostPorts = new();
    // When the last container left, by network; also of networks that are in use again.
    private readonly Dictionary<string, long> _left = [];
    private NetworkPlan _plan = new();
    private ITimer? _sweep;
    private bool _isUnsettled;
    private int _runs;

    /// <summary>Routes of a project's networks have changed. Must not block.</summary>
    public event Action<string>? RoutesChanged;

    public bool IsAvailable => machine.NetworkLack is null;

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

    public async Task<ContainerNetwork> UpdateAsync(Caller caller, string reference, SegmentChange change, CancellationToken cancellationToken)
    {
        ContainerNetwork updated = await UnderGateAsync(() => UpdateAsync(caller.Project, reference, change), cancellationToken);
        RoutesChanged?.Invoke(caller.Project);
        return updated;
    }

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

    /// <summary>What is wrong with a container's wishes, before it is made; networks are looked up again at each start.</summary>
    /// <returns>The networks that it is to be connected to, by name.</returns>
    /// <exception cref="CandelaException">NotSupported or InvalidArgument; also for a network that is not there, since NotFound means the image.</exception>
    public async Task<IReadOnlyList<NetworkAttachment>> CheckAsync(string project, ContainerSpec spec)
    {
        try
        {
            return await UnderGateAsync(() => CheckSpecAsync(project, spec), CancellationToken.None);
        }
        catch (CandelaException e) when (e.Code == ErrorCode.NotFound)
        {
            throw new CandelaException(ErrorCode.InvalidArgument, e.Message, e);
        }
    }

    /// <summary>Whether a container can be connected to one more network.</summary>
    /// <returns>The connection, with the network by name.</returns>
    /// <exception cref="CandelaException">NotFound, NotSupported, InvalidArgument, Conflict or ResourceExhausted.</exception>
    public Task<NetworkAttachment> CheckAsync(Container container, NetworkAttachment attachment) => UnderGateAsync(async () =>
    {
        await EnsureDefaultAsync(container.Project);
        NetworkAttachment checkedOne = Check(container.Project, attachment, container.Networks);
        CheckCount(container.Networks.Count + 1);
        return checkedOne;
    }, CancellationToken.None);

    /// <summary>The name of a network.</summary>
    /// <exception cref="CandelaException">NotFound; InvalidArgument: several are meant.</exception>
    public Task<string> NameOfAsync(string project, string reference) => UnderGateAsync(async () =>
    {
        await EnsureDefaultAsync(project);
        return table.Find(project, reference).Network.Name;
    }, CancellationToken.None);

    /// <summary>Connects a container that is about to start.</summary>
    /// <param name="container">The container.</param>
    /// <param name="source">The container that it is a fork of, whose cards it has; null: it is none.</param>
    /// <returns>It with its connections and published ports.</returns>
    /// <exception cref="CandelaException">No address is free, or a published port is taken.</exception>
    public Task<Container> ConnectAsync(Container container, Container? source) => UnderGateAsync(async () =>
    {
        await EnsureDefaultAsync(container.Project);
        List<NetworkEndpoint> endpoints = [];
        try
        {
            foreach (NetworkAttachment attachment in container.Networks)
            {
                NetworkEntry entry = Find(container.Project, attachment.Network);
                int? card = source?.Endpoints.FirstOrDefault(e => e.NetworkId == entry.Network.Id)?.Card;
                endpoints.Add(Assign(entry, container, attachment, card ?? FreeCard(endpoints.Concat(source?.Endpoints ?? []))));
            }

            return await PublishAsync(container with { Endpoints = endpoints });
        }
        catch
        {
            endpoints.ForEach(Release);
            throw;
        }
    }, CancellationToken.None);

    /// <summary>Connects a running container to one more network.</summary>
    /// <returns>It with the connection as its last.</returns>
    /// <exception cref="CandelaException">No address is free, or a published port is taken.</exception>
    public Task<Container> ConnectAsync(Container container, NetworkAttachment attachment) => UnderGateAsync(async () =>
    {
        NetworkEndpoint endpoint = Assign(Find(container.Project, attachment.Network), container, attachment, FreeCard(container.Endpoints));
        try
        {
            return await PublishAsync(container with { Endpoints = [.. container.Endpoints, endpoint], Networks = [.. container.Networks, attachment] });
        }
        catch
        {
            Release(endpoint);
            throw;
        }
    }, CancellationToken.None);

    /// <summary>Takes connections away: of a container that has ended, or those that it has no more.</summary>
    /// <param name="container">The container with the connections that remain.</param>
    /// <param name="gone">Those that do not.</param>
    public Task DisconnectAsync(Container container, IReadOnlyList<NetworkEndpoint> gone) => gone.Count == 0 ? Task.CompletedTask : UnderGateAsync(async () =>
    {
        NetworkPlan plan = _plan;
        foreach (NetworkEndpoint endpoint in gone)
        {
            if (plan.Projects.TryGetValue(container.Project, out ProjectPlan? project) && project.Ports.ContainsKey(endpoint.PortId))
                plan = Without(plan, project, endpoint);
            Release(endpoint);
            _left[endpoint.NetworkId] = time.GetTimestamp();
            if (table.ById(endpoint.NetworkId) is { } entry)
                Tell(entry.Network, "disconnect", container);
        }

        // What is gone is gone: what the machine cannot do now it does with the next change.
        _plan = WithPublished(plan, container);
        await ApplyAsync(_plan);
        SweepLater();
        return true;
    }, CancellationToken.None);

    /// <summary>Takes networks that nobody is connected to from the machine, at the daemon's end.</summary>
    public Task CloseAsync()
    {
        _sweep?.Dispose();
        return UnderGateAsync(() => SweepAsync(TimeSpan.Zero), CancellationToken.None);
    }

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

    /// <summary>Connected containers of a project for which the addresses of those they are linked to, or routes of their networks, are no longer what they know.</summary>
    /// <returns>They with the connections as they should be.</returns>
    public Task<IReadOnlyList<Container>> OutdatedAsync(string project) => UnderGateAsync<IReadOnlyList<Container>>(() =>
    {
        List<Container> outdated = [];
        foreach (Container container in containers.List(project).Select(e => e.Record).Where(c => c.Endpoints.Count > 0))
        {
            NetworkEndpoint[] endpoints = [.. container.Endpoints.Select(e => WithLinesAndRoutes(e, container))];
            if (!endpoints.Zip(container.Endpoints).All(static p => p.First.KnowsTheSameAs(p.Second)))
                outdated.Add(container with { Endpoints = endpoints });
        }

        return Task.FromResult<IReadOnlyList<Container>>(outdated);
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
                plan = With(plan, entry, container, endpoint);
            }

            plan = WithPublished(plan, container);
        }

        await ApplyAsync(plan);
        return true;
    }, CancellationToken.None);

    /// <summary>The beginning of a container's id, of the id itself or of that of one of its ports.</summary>
    public static string ContainerDigitsOf(string id) => id[..PortIdDigits];

    /// <summary>Makes the rules of a project hold, if it has networks on this machine now. To be called under the gate.</summary>
    /// <exception cref="CandelaException">The machine refuses them; what held goes on to hold.</exception>
    public Task ApplyRulesAsync(string project, ProjectRules rules) => _plan.Projects.TryGetValue(project, out ProjectPlan? plan)
        ? ApplyAsync(_plan with { Projects = _plan.Projects.SetItem(project, rules.ApplyTo(plan) with
        {
            HasHostAccess = rules.HasHostAccess || plan.Ports.Values.Any(p => containers.Find(p.Owner) is { } user && WantsHost(user.Record)),
        }) })
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

    public void Dispose()
    {
        _sweep?.Dispose();
        _gate.Dispose();
    }

    private NetworkPlan With(NetworkPlan plan, NetworkEntry entry, Container container, NetworkEndpoint endpoint)
    {
        ProjectPlan project = plan.Projects.GetValueOrDefault(container.Project) ??
            policies.Of(container.Project).Rules.ApplyTo(new ProjectPlan { Id = container.Project, Number = entry.ProjectNumber });
        if (!project.Segments.ContainsKey(entry.Network.Id))
            project = Routed(project with { Segments = project.Segments.Add(entry.Network.Id, Segment(entry.Network)) }, id => table.ById(id)?.Network);
        var port = new PortSpec
        {
            Id = endpoint.PortId,
            SegmentId = entry.Network.Id,
            Owner = container.Id,
            Mac = MacAddress.Parse(endpoint.Mac),
            Ipv4 = Address(endpoint.Ipv4Address),
            Ipv6 = Address(endpoint.Ipv6Address),
            Labels = WorkloadGroups.Label(container.Name, container.Spec.Labels),
            Names = NamesOf(container, endpoint),
            EgressBytesPerSecond = entry.Network.EgressBytesPerSecond,
            IngressBytesPerSecond = entry.Network.IngressBytesPerSecond,
        };
        return plan with { Projects = plan.Projects.SetItem(project.Id, project with { Ports = project.Ports.SetItem(port.Id, port) }) };
    }

    // A container's published ports lead to the connection by which its answers leave; on internal networks only there are none.
    private NetworkPlan WithPublished(NetworkPlan plan, Container container)
    {
        if (!plan.Projects.TryGetValue(container.Project, out ProjectPlan? project))
            return plan;
        NetworkEndpoint? wayOut = NetworkEndpoint.WayOut(container.Endpoints);
        ImmutableArray<PublishedPort> published =
        [
            .. project.Published.Where(p => project.Ports.TryGetValue(p.PortId, out PortSpec? port) && port.Owner != container.Id),
            .. wayOut is null ? [] : container.Published.Select(p => Publication(p, wayOut.PortId)),
        ];
        project = project with
        {
            Published = published.SequenceEqual(project.Published) ? project.Published : published,
            HasHostAccess = policies.Of(container.Project).Rules.HasHostAccess || WantsHost(container) || project.Ports.Values.Any(p => p.Owner != container.Id && containers.Find(p.Owner) is { } other && WantsHost(other.Record)),
        };
        return plan with { Projects = plan.Projects.SetItem(project.Id, project) };
    }

    private static bool WantsHost(Container container) => container.Endpoints.Count > 0 && container.Spec.ExtraHosts.Any(static h => h.EndsWith("host-gateway", StringComparison.Ordinal));

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
        return plan with { Projects = plan.Projects.SetItem(project.Id, project) };
    }

    private static NetworkPlan WithoutSegment(NetworkPlan plan, ProjectPlan project, string segment)
    {
        project = project with
        {
            Segments = project.Segments.Remove(segment),
            Routes = [.. project.Routes.Where(r => r.First != segment && r.Second != segment)],
        };
        return plan with { Projects = project.Segments.IsEmpty ? plan.Projects.Remove(project.Id) : plan.Projects.SetItem(project.Id, project) };
    }

    // Under the gate.
    private void SweepLater()
    {
        _sweep ??= time.CreateTimer(_ => background.Run("removal of networks that are not in use", () => UnderGateAsync(() => SweepAsync(IdleTime), CancellationToken.None)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _sweep.Change(IdleTime, Timeout.InfiniteTimeSpan);
    }

    private async Task<bool> SweepAsync(TimeSpan idleTime)
    {
        NetworkPlan plan = _plan;
        bool isLeft = false;
        foreach (ProjectPlan project in _plan.Projects.Values)
        {
            var used = project.Ports.Values.Select(static p => p.SegmentId).ToHashSet();
            foreach (string segment in project.Segments.Keys.Where(id => !used.Contains(id)))
            {
                if (!_left.TryGetValue(segment, out long left) || time.GetElapsedTime(left) >= idleTime)
                    plan = WithoutSegment(plan, plan.Projects[project.Id], segment);
                else
                    isLeft = true;
            }
        }

        if (plan != _plan || _isUnsettled)
            await ApplyAsync(plan);
        foreach (string id in _left.Keys.Where(id => table.ById(id) is null || !plan.Projects.Values.Any(p => p.Segments.ContainsKey(id))).ToArray())
            _left.Remove(id);
        if (isLeft)
            SweepLater();
        return true;
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
        Protocol = HostPortChoice.Protocol(publication),
        HostAddress = publication.HostAddress is { } address ? IPAddress.Parse(address) : null,
        HostPort = publication.HostPort,
        ContainerPort = publication.ContainerPort,
    };

    private static IPAddress? Address(string? text) => text is null ? null : IPAddress.Parse(text);

    private static bool IsNone(string mode) => mode is "none" or "";

    private async Task<IReadOnlyList<NetworkAttachment>> CheckSpecAsync(string project, ContainerSpec spec)
    {
        if (IsNone(spec.NetworkMode))
        {
            if (spec.PublishedPorts.Count > 0)
                throw new CandelaException(ErrorCode.InvalidArgument, "conflicting options: port publishing and the container type network mode: with --network none nothing can be published");
            if (spec.Networks.Count > 0)
                throw new CandelaException(ErrorCode.InvalidArgument, "conflicting options: a container cannot be connected to networks with --network none");
            return [];
        }

        await EnsureDefaultAsync(project);
        string first = Find(project, spec.NetworkMode).Network.Name;
        List<NetworkAttachment> attachments = [];
        foreach (NetworkAttachment attachment in spec.Networks)
            attachments.Add(Check(project, attachment, attachments));
        if (attachments.FindIndex(a => a.Network == first) is var index and >= 0)
        {
            attachments.Insert(0, attachments[index]);
            attachments.RemoveAt(index + 1);
        }
        else
        {
            attachments.Insert(0, new NetworkAttachment { Network = first });
        }

        CheckCount(attachments.Count);
        return attachments;
    }

    private NetworkEntry Find(string project, string reference)
    {
        if (machine.NetworkLack is { } lack)
            throw new CandelaException(ErrorCode.NotSupported, lack);
        return table.Find(project, reference);
    }

    private NetworkAttachment Check(string project, NetworkAttachment attachment, IReadOnlyList<NetworkAttachment> others)
    {
        NetworkEntry entry = Find(project, attachment.Network);
        ContainerNetwork network = entry.Network;
        if (others.Any(o => o.Network == network.Name))
            throw new CandelaException(ErrorCode.Conflict, $"the container is connected to network {network.Name} already");
        if ((attachment.Ipv4Address ?? attachment.Ipv6Address) is not null && network.IsBuiltIn)
            throw new CandelaException(ErrorCode.InvalidArgument, $"invalid config for network {network.Name}: user specified IP address is supported on user defined networks only");
        CheckAddress(attachment.Ipv4Address, network.Ipv4Subnet, network, "IPv4");
        CheckAddress(attachment.Ipv6Address, network.Ipv6Subnet, network, "IPv6");
        foreach (string link in attachment.Links)
            containers.Get(project, link.Split(':')[0]);
        return attachment with { Network = network.Name };
    }

    private static void CheckAddress(string? address, string? subnet, ContainerNetwork network, string version)
    {
        if (address is null)
            return;
        if (subnet is null)
            throw new CandelaException(ErrorCode.InvalidArgument, $"network {network.Name} has no {version}: an {version} address cannot be chosen in it");
        if (!IPAddress.TryParse(address, out IPAddress? parsed) || !IPNetwork.Parse(subnet).Contains(parsed))
            throw new CandelaException(ErrorCode.InvalidArgument, $"{address} is no address in {subnet} of network {network.Name}");
    }

    private void CheckCount(int count)
    {
        if (count > machine.NetworksOfContainer)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"a container can be connected to {machine.NetworksOfContainer} networks at most: disconnect it from another first");
    }

    private int FreeCard(IEnumerable<NetworkEndpoint> taken) =>
        Enumerable.Range(0, machine.NetworksOfContainer).Except(taken.Select(e => e.Card)).Cast<int?>().FirstOrDefault()
            ?? throw new CandelaException(ErrorCode.ResourceExhausted, $"a container can be connected to {machine.NetworksOfContainer} networks at most: disconnect it from another first");

    private async Task<Container> PublishAsync(Container container)
    {
        PortPublication[] asked = container.Published.Count > 0 ? [.. container.Published] : [.. Publications(container)];
        TakenPorts taken = TakenPorts.Of(_plan);
        while (true)
        {
            var connected = container with { Published = _hostPorts.Choose(asked, taken) };
            NetworkPlan plan = _plan;
            NetworkEndpoint[] added = [.. connected.Endpoints.Where(e => !plan.Projects.TryGetValue(connected.Project, out ProjectPlan? project) || !project.Ports.ContainsKey(e.PortId))];
            foreach (NetworkEndpoint endpoint in added)
                plan = With(plan, table.ById(endpoint.NetworkId)!, connected, endpoint);

            try
            {
                await ApplyAsync(WithPublished(plan, connected));
                foreach (NetworkEndpoint endpoint in added)
                    Tell(table.ById(endpoint.NetworkId)!.Network, "connect", connected);
                return connected;
            }
            catch (PortTakenException e) when (HostPortChoice.HasChosen(asked, connected.Published, e))
            {
                // By a program of the host: another one.
                taken.Add(e.Protocol, e.Address, e.Port);
            }
        }
    }

    private static IEnumerable<PortPublication> Publications(Container container)
    {
        if (NetworkEndpoint.WayOut(container.Endpoints) is null)
            return [];
        IEnumerable<PortPublication> all = container.Spec.PublishAllPorts ? container.ExposedPorts.Select(ExposedPort.Publication) : [];
        return [.. container.Spec.PublishedPorts, .. all.Where(a => !container.Spec.PublishedPorts.Any(p => p.ContainerPort == a.ContainerPort && p.Protocol == a.Protocol))];
    }

    private NetworkEndpoint Assign(NetworkEntry entry, Container container, NetworkAttachment attachment, int card)
    {
        ContainerNetwork network = entry.Network;
        IPAddress? ipv4 = null, ipv6 = null;
        try
        {
            ipv4 = Take(entry.Ipv4, attachment.Ipv4Address);
            ipv6 = entry.Ipv6 is null ? null : Take(entry.Ipv6, attachment.Ipv6Address);
            var endpoint = new NetworkEndpoint
            {
                NetworkId = network.Id,
                NetworkName = network.Name,
                PortId = $"{container.Id[..PortIdDigits]}-{Interlocked.Increment(ref _runs)}-{Environment.TickCount64:x}",
                Card = card,
                Mac = TakeMac(entry, attachment).ToString(),
                Mtu = 1500,
                Ipv4Address = ipv4.ToString(),
                Ipv4PrefixLength = entry.Ipv4.Network.PrefixLength,
                Ipv4Gateway = network.Ipv4Gateway,
                Ipv6Address = ipv6?.ToString(),
                Ipv6PrefixLength = entry.Ipv6?.Network.PrefixLength ?? 0,
                Ipv6Gateway = network.Ipv6Gateway,
                IsInternal = network.IsInternal,
                Aliases = attachment.Aliases,
            };
            return endpoint with { HostsLines = Lines(attachment, endpoint, container), Routes = Routes(network) };
        }
        catch (CandelaException)
        {
            if (ipv4 is not null)
                entry.Ipv4.Return(ipv4);
            if (ipv6 is not null)
                entry.Ipv6!.Return(ipv6);
            throw;
        }
    }

    private static IPAddress Take(AddressPool pool, string? asked)
    {
        if (asked is null)
            return pool.Take();
        var address = IPAddress.Parse(asked);
        pool.Take(address);
        return address;
    }

    private MacAddress TakeMac(NetworkEntry entry, NetworkAttachment attachment)
    {
        if (attachment.MacAddress is { } asked)
        {
            var mac = MacAddress.Parse(asked);
            return _macs.Take(mac) ? mac : throw new CandelaException(ErrorCode.Conflict, $"MAC {mac} is in use: network {entry.Network.Name} needs another");
        }

        // Others may still know which MAC an address had that somebody asks for again and again.
        if ((attachment.Ipv4Address ?? attachment.Ipv6Address) is { } address && MacPool.Of($"{entry.Network.Id} {address}") is var usual && _macs.Take(usual))
            return usual;
        return _macs.Take();
    }

    private NetworkEndpoint WithLinesAndRoutes(NetworkEndpoint endpoint, Container container) => endpoint with
    {
        HostsLines = container.Networks.FirstOrDefault(n => n.Network == endpoint.NetworkName) is { Links.Count: > 0 } attachment ? Lines(attachment, endpoint, container) : endpoint.HostsLines,
        Routes = table.ById(endpoint.NetworkId) is { } entry ? Routes(entry.Network) : endpoint.Routes,
    };

    // Subnets of the networks that one has routes to.
    private string[] Routes(ContainerNetwork network) =>
        [.. network.Routes.Select(table.ById).OfType<NetworkEntry>().SelectMany(static e => new[] { e.Network.Ipv4Subnet, e.Network.Ipv6Subnet }).OfType<string>().Order(StringComparer.Ordinal)];

    // Docker's form: address, name of choice, short id, name. Who does not run has no line.
    private string[] Lines(NetworkAttachment attachment, NetworkEndpoint endpoint, Container container)
    {
        List<string> lines = [];
        foreach (string link in attachment.Links)
        {
            string[] parts = link.Split(':', 2);
            Container? target = TryFind(container.Project, parts[0]);
            if (target?.Endpoints.FirstOrDefault(e => e.NetworkId == endpoint.NetworkId)?.Ipv4Address is { } address)
                lines.Add($"{address}\t{parts[^1]} {target.Id[..NameDigits]} {target.Name}");
        }

        return [.. lines];
    }

    private Container? TryFind(string project, string reference)
    {
        try
        {
            return containers.Get(project, reference).Record;
        }
        catch (CandelaException e) when (e.Code is ErrorCode.NotFound or ErrorCode.InvalidArgument)
        {
            return null; // removed meanwhile
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

    private async Task ApplyAsync(NetworkPlan plan)
    {
        // What fails half way is set right by the next change, or in a while if there is none.
        _isUnsettled = true;
        try
        {
            await machine.ApplyNetworkAsync(plan, CancellationToken.None);
            (_plan, _isUnsettled) = (plan, false);
        }
        finally
        {
            if (_isUnsettled)
                SweepLater();
        }
    }

    private IEnumerable<Container> UsersOf(ContainerNetwork network) => containers.List(network.Project).Select(e => e.Record).Where(c => c.Endpoints.Any(e => e.NetworkId == network.Id));

    private async Task<ContainerNetwork> UpdateAsync(string project, string reference, SegmentChange change)
    {
        await EnsureDefaultAsync(project);
        NetworkEntry entry = table.Find(project, reference);
        IReadOnlyList<(NetworkEntry Entry, ContainerNetwork Network)> changed = table.Changed(entry, change);
        NetworkPlan former = _plan;
        await ApplyAsync(With(_plan, project, changed));
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
    }

    private async Task RemoveAsync(NetworkEntry entry)
    {
        if (entry.Network.IsBuiltIn)
            throw new CandelaException(ErrorCode.PermissionDenied, $"{entry.Network.Name} is a pre-defined network and cannot be removed");
        if (UsersOf(entry.Network).Select(c => c.Name).ToArray() is { Length: > 0 } users)
            throw new CandelaException(ErrorCode.Conflict, $"error while removing network: network {entry.Network.Name} has active endpoints (containers {string.Join(", ", users)}): stop them first");
        if (policies.UserOfSegment(entry.Network.Project, entry.Network.Name) is { } policy)
            throw new CandelaException(ErrorCode.Conflict, $"network policy {policy.Name} speaks of network {entry.Network.Name}: remove or change that first");
        if (_plan.Projects.TryGetValue(entry.Network.Project, out ProjectPlan? project) && project.Segments.ContainsKey(entry.Network.Id))
            await ApplyAsync(WithoutSegment(_plan, project, entry.Network.Id));
        await table.RemoveAsync(entry, CancellationToken.None);
        Tell(entry.Network, "destroy");
    }

    private async Task EnsureDefaultAsync(string project)
    {
        projects.Check(project);
        if (!table.Of(project).Any(n => n.Network.IsBuiltIn))
            await table.CreateAsync(project, new NetworkSpec { Name = INetworkService.DefaultName }, machine.RoutedNetworks(), isBuiltIn: true, CancellationToken.None);
    }

    private void Tell(ContainerNetwork network, string action, Container? container = null)
    {
        var attributes = new Dictionary<string, string> { ["name"] = network.Name, ["type"] = "bridge" };
        if (container is not null)
            attributes["container"] = container.Id;
        events.Add(network.Project, "network", action, network.Id, attributes);
    }
}
