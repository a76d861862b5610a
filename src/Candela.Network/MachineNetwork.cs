using System.Net;
using Candela.Model;
using Candela.Network.Dns;
using Candela.Network.Flows;
using Candela.Network.Host;
using Candela.Network.Namespaces;
using Candela.Network.Netlink;
using Candela.Network.Nftables;
using Candela.Network.Plan;
using Microsoft.Win32.SafeHandles;

namespace Candela.Network;

/// <summary>
/// The network of this machine: a namespace for each project, and the little that is in the host's own. It is in the kernel what the
/// plan says, also after the daemon was killed or the machine restarted: the first plan is compared with what there is.
/// </summary>
/// <remarks>Changes take turns.</remarks>
public sealed class MachineNetwork : IDisposable
{
    private static readonly TimeSpan s_expiryPeriod = TimeSpan.FromMinutes(1);
    private readonly Lock _gate = new();
    private readonly NetworkOptions _options;
    private readonly NetworkNamespace _hostNamespace;
    private HostNetwork? _host;
    private readonly Dictionary<string, ProjectNetwork> _projects = [];
    private readonly SpareTaps _spares;
    private readonly NameServers _names;
    private readonly ITimer _expiry;

    private MachineNetwork(NetworkOptions options)
    {
        _options = options;
        _spares = new SpareTaps(Path.Combine(options.RunFolder, "spare-taps"));
        _hostNamespace = options.Host ?? NetworkNamespace.Current();
        Flows = new FlowLog(options.FlowLog, options.Clock);
        _names = new NameServers(new DnsForwarder(_hostNamespace, () => options.Resolvers.Servers));
        _expiry = options.Clock.CreateTimer(_ => ExpireNames(), null, s_expiryPeriod, s_expiryPeriod);
    }

    /// <summary>The plan that holds; empty before the first.</summary>
    public NetworkPlan Plan { get; private set; } = new();

    /// <summary>Who talked to whom, and what was dropped.</summary>
    public FlowLog Flows { get; }

    private string NamespaceFolder => Path.Combine(_options.RunFolder, "netns");

    /// <summary>Opens the network of this machine; <see cref="Apply"/> makes it what it shall be.</summary>
    /// <exception cref="CandelaException">Rights or parts of the kernel are missing; the message says which, and what to do.</exception>
    public static MachineNetwork Open(NetworkOptions options)
    {
        KernelCheck.Check();
        return new MachineNetwork(options);
    }

    /// <summary>Makes the kernel agree with a plan.</summary>
    /// <exception cref="CandelaException">The plan contradicts itself, or a published port is taken. Nothing was changed.</exception>
    /// <exception cref="IOException">The kernel refuses; the message says what. Calling again carries on.</exception>
    public void Apply(NetworkPlan plan)
    {
        foreach (ProjectPlan project in plan.Projects.Values)
            PlanCheck.Check(project);
        lock (_gate)
        {
            // Nothing of the host is touched before there is something to connect, or to clean up.
            if (_host is null && plan.Projects.IsEmpty && !HasRemains)
                return;
            Directory.CreateDirectory(NamespaceFolder);
            Directory.CreateDirectory(_options.StateFolder);
            _host ??= new HostNetwork(_hostNamespace, _options.HostOptions, _options.StateFolder);
            _host.Reserve(plan);
            if (!Equals(plan.TunnelAddress, _host.Tunnels.Local) && _projects.Count > 0)
                throw new CandelaException(ErrorCode.Conflict, "the machine's address for VXLAN cannot change while projects have networks: restart candelad");
            _host.Tunnels.Local = plan.TunnelAddress;
            Forget(plan);
            _host.ApplyFirewall(plan);
            foreach (ProjectPlan project in plan.Projects.Values)
            {
                if (!_projects.TryGetValue(project.Id, out ProjectNetwork? network))
                {
                    _projects.Add(project.Id, network = ProjectNetwork.Open(PathOf(project.Id), _options.FlowLog, _options.Clock, _host.Tunnels));
                    Flows.Add(network, project.Id);
                }

                if (ReferenceEquals(network.Plan, project))
                    continue;
                network.Apply(project);
                _names.Apply(network, project);
            }

            _host.ApplyUplinks(plan, id => _projects[id]);
            Plan = plan;
            if (plan.Projects.IsEmpty)
                RemoveAll();
        }
    }

    /// <summary>Makes the tap of a port and connects it.</summary>
    /// <returns>The descriptor for the VMM; the tap ends with its last copy.</returns>
    /// <exception cref="CandelaException">The plan has no such port on this machine.</exception>
    public SafeFileHandle CreateTap(string projectId, string portId) => Project(projectId).CreateTap(portId);

    /// <summary>Makes a tap ahead of need, connected to nothing.</summary>
    /// <param name="isWantedSoon">It is likely to be connected next.</param>
    /// <returns>Its name, for <see cref="ConnectTap"/>, and the descriptor for the VMM.</returns>
    public (string Name, SafeFileHandle Descriptor) CreateSpareTap(bool isWantedSoon) => _spares.Create(isWantedSoon);

    /// <summary>Connects a tap that was made ahead.</summary>
    /// <param name="tap">Its name.</param>
    /// <param name="projectId">The project.</param>
    /// <param name="portId">The port.</param>
    /// <param name="isTypical">The next ones are likely to go to the same project.</param>
    /// <returns>False when the port has its tap already.</returns>
    /// <exception cref="CandelaException">There is no such tap, or the plan has no such port on this machine.</exception>
    public bool ConnectTap(string tap, string projectId, string portId, bool isTypical)
    {
        ProjectNetwork network = Project(projectId);
        if (_spares.Connect(tap, network, portId, isTypical))
            return true;
        return network.HasLink(portId) ? false : throw new CandelaException(ErrorCode.Internal, $"there is no tap {tap} to connect port {portId} with");
    }

    /// <summary>Disconnects a tap, which may be connected again. Nothing happens when the port has none.</summary>
    /// <exception cref="CandelaException">The plan has no such project.</exception>
    public void DisconnectTap(string tap, string projectId, string portId) => _spares.Release(tap, Project(projectId), portId);

    /// <summary>Keeps taps that are connected to nothing for as long as their VMM runs, whatever becomes of this process.</summary>
    public void KeepTaps(IEnumerable<string> taps) => _spares.Keep(taps);

    /// <summary>The host as a project's containers reach it, if the project may (<see cref="ProjectPlan.HasHostAccess"/>).</summary>
    /// <exception cref="CandelaException">The plan has no such project.</exception>
    public IPAddress HostAddress(string projectId)
    {
        ProjectNetwork network = Project(projectId);
        lock (_gate)
            return _host!.UplinkOf(network.Plan!).Outside4;
    }

    /// <summary>The network of a project.</summary>
    /// <exception cref="CandelaException">The plan has no such project.</exception>
    public ProjectNetwork Project(string projectId)
    {
        lock (_gate)
        {
            return _projects.TryGetValue(projectId, out ProjectNetwork? network)
                ? network
                : throw new CandelaException(ErrorCode.NotFound, $"project {projectId} has no network on this machine");
        }
    }

    /// <summary>Packets and bytes of a project by counter, as <see cref="ProjectNetwork.Counters"/>; empty when it has no network here.</summary>
    public IReadOnlyDictionary<string, Traffic> Counters(string projectId)
    {
        lock (_gate)
            return _projects.TryGetValue(projectId, out ProjectNetwork? network) ? network.Counters() : new Dictionary<string, Traffic>();
    }

    /// <summary>Networks that the host has routes to: not to be given to segments without being asked for.</summary>
    public IReadOnlyList<IPNetwork> RoutedNetworks()
    {
        lock (_gate)
        {
            using var route = new RouteSocket(_hostNamespace);
            return [.. route.Routes().Where(r => r.Destination.PrefixLength > 0).Select(r => r.Destination)];
        }
    }

    /// <summary>Removes everything that Candela has in the kernel, and sets the host's parameters to what they were.</summary>
    public void Remove()
    {
        lock (_gate)
        {
            Directory.CreateDirectory(NamespaceFolder);
            Directory.CreateDirectory(_options.StateFolder);
            Forget(new NetworkPlan());
            _host ??= new HostNetwork(_hostNamespace, _options.HostOptions, _options.StateFolder);
            RemoveAll();
            Plan = new NetworkPlan();
        }
    }

    /// <summary>Lets go of descriptors; the network stays.</summary>
    public void Dispose()
    {
        _expiry.Dispose();
        _names.Dispose();
        Flows.Dispose();
        _spares.Dispose();
        foreach (ProjectNetwork network in _projects.Values)
            network.Dispose();
        _host?.Dispose();
        if (_options.Host is null)
            _hostNamespace.Dispose();
    }

    // Of an earlier daemon.
    private bool HasRemains => Directory.Exists(NamespaceFolder) || ForwardingSwitch.HasRecord(_options.StateFolder);

    private void RemoveAll()
    {
        _host!.Remove();
        _host.Dispose();
        _host = null;
        Directory.Delete(NamespaceFolder);
    }

    private void ExpireNames()
    {
        lock (_gate)
        {
            foreach (ProjectNetwork network in _projects.Values)
                network.ExpireNames();
        }
    }

    // Namespaces are named by a hash, since ids may be long; what is in the folder without being in the plan was left behind.
    private void Forget(NetworkPlan plan)
    {
        foreach ((string id, ProjectNetwork network) in _projects.Where(p => !plan.Projects.ContainsKey(p.Key)).ToArray())
        {
            _names.Remove(network);
            _spares.Leave(network.Namespace);
            Flows.Remove(id);
            network.Remove();
            network.Dispose();
            _projects.Remove(id);
        }

        var wanted = plan.Projects.Keys.Select(PathOf).ToHashSet();
        foreach (string path in Directory.GetFiles(NamespaceFolder).Where(p => !wanted.Contains(p)))
            NetworkNamespace.DeleteAt(path);
    }

    private string PathOf(string projectId) => Path.Combine(NamespaceFolder, LinkNames.Project(projectId));
}
