using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Candela.Controller.Storage;
using Candela.Model;
using Candela.Model.Networking;
using Candela.Network.Addressing;
using Candela.State;

namespace Candela.Controller.Networks;

/// <summary>A network with what of it is in use.</summary>
internal sealed class NetworkEntry(ContainerNetwork network, int projectNumber, TimeProvider time)
{
    public ContainerNetwork Network { get; set; } = network;

    public int ProjectNumber { get; } = projectNumber;

    public AddressPool Ipv4 { get; } = new(IPNetwork.Parse(network.Ipv4Subnet), network.Ipv4Range is { } range ? IPNetwork.Parse(range) : null, [IPAddress.Parse(network.Ipv4Gateway)], time);

    public AddressPool? Ipv6 { get; } = network.Ipv6Subnet is { } subnet ? new(IPNetwork.Parse(subnet), null, [IPAddress.Parse(network.Ipv6Gateway!)], time) : null;
}

/// <summary>The networks of all projects, in memory and in the state store.</summary>
/// <remarks>Not for several threads at once.</remarks>
internal sealed partial class NetworkTable(IStateStore store, TimeProvider time)
{
    private const int MostOfProject = 4096;
    private readonly Dictionary<string, NetworkEntry> _byId = new(StringComparer.Ordinal);

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern { get; }

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            StatePage page = await store.RangeAsync(StateKeys.Networks, after, StateLimits.PageCount, cancellationToken);
            foreach (StateEntry entry in page.Entries)
            {
                StoredNetwork stored = JsonSerializer.Deserialize(entry.Value.Span, ControllerJson.Default.StoredNetwork)
                    ?? throw new CandelaException(ErrorCode.Internal, $"the state store has an empty document at {entry.Key}");
                // Records of the time before routes have none.
                ContainerNetwork network = stored.Network with { Routes = stored.Network.Routes ?? [] };
                _byId.Add(network.Id, new NetworkEntry(network, stored.ProjectNumber, time));
            }

            after = page.Next;
        }
        while (after is not null);
    }

    public IEnumerable<NetworkEntry> Of(string project) => _byId.Values.Where(n => n.Network.Project == project)
        .OrderByDescending(n => n.Network.IsBuiltIn).ThenBy(n => n.Network.CreatedAt).ThenBy(n => n.Network.Id, StringComparer.Ordinal);

    public NetworkEntry? ById(string id) => _byId.GetValueOrDefault(id);

    /// <exception cref="CandelaException">NotFound; InvalidArgument: several are meant.</exception>
    public NetworkEntry Find(string project, string reference)
    {
        NetworkEntry[] all = [.. Of(project)];
        if ((all.FirstOrDefault(n => n.Network.Name == reference) ?? all.FirstOrDefault(n => n.Network.Id == reference)) is { } exact)
            return exact;
        NetworkEntry[] some = reference.Length == 0 ? [] : [.. all.Where(n => n.Network.Id.StartsWith(reference, StringComparison.Ordinal))];
        return some.Length switch
        {
            1 => some[0],
            0 => throw new CandelaException(ErrorCode.NotFound, $"network {reference} not found"),
            _ => throw new CandelaException(ErrorCode.InvalidArgument, $"network {reference} is ambiguous: {some.Length} ids begin so"),
        };
    }

    public async Task<NetworkEntry> CreateAsync(string project, NetworkSpec spec, IReadOnlyList<IPNetwork> routed, bool isBuiltIn, CancellationToken cancellationToken)
    {
        if (spec.Name.Length > Limits.NameLength || !NamePattern.IsMatch(spec.Name))
            throw new CandelaException(ErrorCode.InvalidArgument, $"invalid network name: {spec.Name}: letters, digits, _, . and -, at most {Limits.NameLength}");
        NetworkEntry[] others = [.. Of(project)];
        if (others.Any(n => n.Network.Name == spec.Name))
            throw new CandelaException(ErrorCode.AlreadyExists, $"network with name {spec.Name} already exists");
        if (others.Length >= MostOfProject)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"a project has at most {MostOfProject} networks: remove some first");
        if (spec.Labels.Count > Limits.LabelCount)
            throw new CandelaException(ErrorCode.InvalidArgument, $"at most {Limits.LabelCount} labels are allowed");
        CheckRate(spec.EgressBytesPerSecond);
        CheckRate(spec.IngressBytesPerSecond);
        NetworkEntry[] routes = [.. RoutesOf(others, spec.Routes, spec.Name)];
        string id = Containers.ContainerCreation.NewId();
        IPNetwork[] used4 = [.. others.Select(n => IPNetwork.Parse(n.Network.Ipv4Subnet))];
        IPNetwork ipv4 = spec.Ipv4Subnet is { } asked ? Parse(asked, 8, 29, isIpv6: false) : SubnetPool.Choose(used4.Concat(routed));
        IPNetwork? range = spec.Ipv4Range is { } part ? Parse(part, ipv4.PrefixLength, 32, isIpv6: false) : null;
        if (range is { } inner && !ipv4.Contains(inner.BaseAddress))
            throw new CandelaException(ErrorCode.InvalidArgument, $"the range {inner} is not in {ipv4}");
        IPNetwork? ipv6 = spec.Ipv6Subnet is { } asked6 ? Parse(asked6, 32, 120, isIpv6: true) : spec.EnableIpv6 ? SubnetPool.UniqueLocal(id) : null;
        foreach (NetworkEntry other in others)
        {
            if (SubnetPool.Overlap(IPNetwork.Parse(other.Network.Ipv4Subnet), ipv4) || (ipv6 is { } own && other.Network.Ipv6Subnet is { } theirs && SubnetPool.Overlap(IPNetwork.Parse(theirs), own)))
                throw new CandelaException(ErrorCode.Conflict, $"invalid pool request: Pool overlaps with network {other.Network.Name} ({other.Network.Ipv4Subnet}) of this project");
        }

        var network = new ContainerNetwork
        {
            Id = id,
            Name = spec.Name,
            Project = project,
            CreatedAt = time.GetUtcNow(),
            Ipv4Subnet = ipv4.ToString(),
            Ipv4Range = range?.ToString(),
            Ipv4Gateway = Gateway(spec.Ipv4Gateway, ipv4),
            Ipv6Subnet = ipv6?.ToString(),
            Ipv6Gateway = ipv6 is { } six ? Gateway(spec.Ipv6Gateway, six) : null,
            IsInternal = spec.IsInternal,
            IsBuiltIn = isBuiltIn,
            Routes = [.. routes.Select(n => n.Network.Id)],
            EgressBytesPerSecond = spec.EgressBytesPerSecond,
            IngressBytesPerSecond = spec.IngressBytesPerSecond,
            Labels = spec.Labels,
        };
        var entry = new NetworkEntry(network, NumberOf(project), time);
        await CommitAsync(new StateTransaction().Expect(StateKeys.Network(project, id), 0), [(entry, network), .. routes.Select(r => (r, WithRoute(r.Network, id)))], cancellationToken);
        _byId.Add(id, entry);
        return entry;
    }

    /// <summary>What a change makes of a network and of those that it has routes to, or had.</summary>
    /// <exception cref="CandelaException">NotFound, InvalidArgument.</exception>
    public IReadOnlyList<(NetworkEntry Entry, ContainerNetwork Network)> Changed(NetworkEntry entry, SegmentChange change)
    {
        CheckRate(change.EgressBytesPerSecond is 0 ? null : change.EgressBytesPerSecond);
        CheckRate(change.IngressBytesPerSecond is 0 ? null : change.IngressBytesPerSecond);
        ContainerNetwork network = entry.Network;
        NetworkEntry[] others = [.. Of(network.Project).Where(n => n != entry)];
        string[] routes = change.Routes is { } names ? [.. RoutesOf(others, names, network.Name).Select(n => n.Network.Id)] : [.. network.Routes];
        var changed = new List<(NetworkEntry, ContainerNetwork)>
        {
            (entry, network with
            {
                Routes = routes,
                EgressBytesPerSecond = change.EgressBytesPerSecond is { } egress ? (egress == 0 ? null : egress) : network.EgressBytesPerSecond,
                IngressBytesPerSecond = change.IngressBytesPerSecond is { } ingress ? (ingress == 0 ? null : ingress) : network.IngressBytesPerSecond,
            }),
        };
        foreach (NetworkEntry other in others)
        {
            (bool had, bool has) = (network.Routes.Contains(other.Network.Id), routes.Contains(other.Network.Id));
            if (had != has)
                changed.Add((other, has ? WithRoute(other.Network, network.Id) : WithoutRoute(other.Network, network.Id)));
        }

        return changed;
    }

    /// <summary>Records what <see cref="Changed"/> has said.</summary>
    public Task UpdateAsync(IReadOnlyList<(NetworkEntry Entry, ContainerNetwork Network)> changed, CancellationToken cancellationToken) => CommitAsync(new StateTransaction(), changed, cancellationToken);

    /// <summary>Removes a network that nothing is connected to, with the routes to it.</summary>
    public async Task RemoveAsync(NetworkEntry entry, CancellationToken cancellationToken)
    {
        ContainerNetwork network = entry.Network;
        await CommitAsync(
            new StateTransaction().Delete(StateKeys.Network(network.Project, network.Id)),
            [.. network.Routes.Select(ById).OfType<NetworkEntry>().Select(r => (r, WithoutRoute(r.Network, network.Id)))],
            cancellationToken);
        _byId.Remove(network.Id);
    }

    private async Task CommitAsync(StateTransaction transaction, IReadOnlyList<(NetworkEntry Entry, ContainerNetwork Network)> changed, CancellationToken cancellationToken)
    {
        foreach ((NetworkEntry entry, ContainerNetwork network) in changed)
            transaction.Put(StateKeys.Network(network.Project, network.Id), JsonSerializer.SerializeToUtf8Bytes(new StoredNetwork(network, entry.ProjectNumber), ControllerJson.Default.StoredNetwork));
        await store.CommitAsync(transaction, cancellationToken);
        foreach ((NetworkEntry entry, ContainerNetwork network) in changed)
            entry.Network = network;
    }

    private static IEnumerable<NetworkEntry> RoutesOf(NetworkEntry[] others, IReadOnlyList<string> names, string self)
    {
        if (names.Count > NetworkPolicyLimits.RouteCount)
            throw new CandelaException(ErrorCode.InvalidArgument, $"a segment has routes to at most {NetworkPolicyLimits.RouteCount} others, not {names.Count}");
        foreach (string name in names.Distinct(StringComparer.Ordinal))
        {
            if (name == self)
                throw new CandelaException(ErrorCode.InvalidArgument, $"segment {name} needs no route to itself");
            yield return others.FirstOrDefault(n => n.Network.Name == name || n.Network.Id == name) ?? throw new CandelaException(ErrorCode.NotFound, $"there is no segment {name} to have a route to");
        }
    }

    private static ContainerNetwork WithRoute(ContainerNetwork network, string id) =>
        network.Routes.Count < NetworkPolicyLimits.RouteCount ? network with { Routes = [.. network.Routes, id] }
        : throw new CandelaException(ErrorCode.ResourceExhausted, $"segment {network.Name} has routes to {NetworkPolicyLimits.RouteCount} others already");

    private static ContainerNetwork WithoutRoute(ContainerNetwork network, string id) => network with { Routes = [.. network.Routes.Where(r => r != id)] };

    private static void CheckRate(long? bytesPerSecond)
    {
        if (bytesPerSecond is < NetworkPolicyLimits.RateMinimum or > NetworkPolicyLimits.RateMaximum)
            throw new CandelaException(ErrorCode.InvalidArgument, $"a rate limit is {NetworkPolicyLimits.RateMinimum} to {NetworkPolicyLimits.RateMaximum} bytes per second, not {bytesPerSecond}");
    }

    // The same as the project's other networks have, or the first that no project has.
    private int NumberOf(string project)
    {
        if (Of(project).FirstOrDefault() is { } other)
            return other.ProjectNumber;
        var taken = _byId.Values.Select(n => n.ProjectNumber).ToHashSet();
        return Enumerable.Range(0, int.MaxValue).First(n => !taken.Contains(n));
    }

    private static IPNetwork Parse(string text, int shortest, int longest, bool isIpv6)
    {
        if (!IPNetwork.TryParse(text, out IPNetwork network) || (network.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6) != isIpv6 ||
            network.PrefixLength < shortest || network.PrefixLength > longest)
            throw new CandelaException(ErrorCode.InvalidArgument, $"invalid subnet {text}: an {(isIpv6 ? "IPv6" : "IPv4")} network with a prefix of {shortest} to {longest} bits and no bits behind it is expected");
        return network;
    }

    private static string Gateway(string? asked, IPNetwork network)
    {
        if (asked is null)
        {
            byte[] first = network.BaseAddress.GetAddressBytes();
            first[^1] |= 1;
            return new IPAddress(first).ToString();
        }

        return IPAddress.TryParse(asked, out IPAddress? gateway) && network.Contains(gateway) && !gateway.Equals(network.BaseAddress)
            ? gateway.ToString()
            : throw new CandelaException(ErrorCode.InvalidArgument, $"no matching subnet for gateway {asked}: it must be an address in {network}");
    }
}
