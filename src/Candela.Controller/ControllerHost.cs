using Candela.Controller.Access;
using Candela.Controller.Containers;
using Candela.Controller.Events;
using Candela.Controller.Identities;
using Candela.Controller.Networks;
using Candela.Controller.Storage;
using Candela.Identity.Administration;
using Candela.Identity.Authorization;
using Candela.Identity.Workloads;
using Candela.Identity.Workloads.Api;
using Candela.Images;
using Candela.Machine;
using Microsoft.Extensions.Logging;

namespace Candela.Controller;

/// <summary>Beginning and end of the Controller. Containers run on when it ends.</summary>
public sealed class ControllerHost : IAsyncDisposable
{
    /// <summary>Tenant that is there from the first start.</summary>
    public const string DefaultTenant = StateKeys.DefaultTenant;

    /// <summary>Project that is there from the first start.</summary>
    public const string DefaultProject = StateKeys.DefaultProject;

    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(15);

    private readonly Recovery _recovery;
    private readonly ContainerLifecycle _lifecycle;
    private readonly NetworkService _networks;
    private readonly ContainerTable _table;
    private readonly ExecTable _execs;
    private readonly StateWriter _writer;
    private readonly EventLog _events;
    private readonly BackgroundTasks _background;
    private readonly IMachine _machine;
    private readonly IImageStore _images;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private ContainerIdentities? _identities;
    private int _ended;

    internal ControllerHost(
        Recovery recovery,
        ContainerLifecycle lifecycle,
        NetworkService networks,
        ContainerTable table,
        ExecTable execs,
        StateWriter writer,
        EventLog events,
        BackgroundTasks background,
        IMachine machine,
        IImageStore images,
        ILoggerFactory loggers,
        TimeProvider time)
    {
        _recovery = recovery;
        _lifecycle = lifecycle;
        _networks = networks;
        _table = table;
        _execs = execs;
        _writer = writer;
        _events = events;
        _background = background;
        _machine = machine;
        _images = images;
        _loggers = loggers;
        _time = time;
    }

    /// <summary>Containers on this machine.</summary>
    public int ContainerCount => _table.Count;

    /// <summary>Containers whose process runs or is paused.</summary>
    public int RunningCount => _table.RunningCount;

    /// <summary>Who may talk to whom; there is nothing to decide without <see cref="UseIdentities"/>.</summary>
    public PeerDecisions CreatePeerDecisions(TrustDomain domain, IAuthorizer authorizer, AccessGuard guard, IAuditSink audit) => new(_table, domain, authorizer, guard, audit);

    /// <summary>Gives containers their workload identities from here; before <see cref="StartAsync"/>. Without it they have none.</summary>
    public void UseIdentities(TrustDomain domain, AttestedConnections connections, AttestedConnections plainConnections)
    {
        _identities = new ContainerIdentities(_table, _lifecycle, domain, connections, plainConnections, _background, _time, _loggers.CreateLogger<ContainerIdentities>());
        _machine.UseIdentities(_identities);
    }

    /// <summary>Reads the records and takes on what the machine finds of them; to be called once, before any service is used.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _recovery.LoadAsync(cancellationToken);
        _machine.Exited += _lifecycle.OnExited;
        _machine.ExecExited += OnExecExited;
        _images.Changed += OnImageChanged;
        _networks.RoutesChanged += _lifecycle.UpdateGuests;
        await _recovery.ReconcileAsync(cancellationToken);
        if (_identities is not null)
            await _identities.ReconcileAsync(cancellationToken);
    }

    /// <summary>Lets what is under way end, and writes what is not written yet.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        _images.Changed -= OnImageChanged;
        _networks.RoutesChanged -= _lifecycle.UpdateGuests;
        _lifecycle.Close();
        _events.Close();
        await _background.DrainAsync(DrainTime);
        await _networks.CloseAsync();
        _machine.Exited -= _lifecycle.OnExited;
        _machine.ExecExited -= OnExecExited;
        await _writer.DisposeAsync();
    }

    private void OnExecExited(string id, string execId, ContainerExit exit) => _execs.OnExited(_table.Find(id)?.Record, execId, exit);

    private void OnImageChanged(ImageEvent change) => _events.Add(
        project: null,
        "image",
        change.Action,
        change.ImageId,
        new Dictionary<string, string> { ["name"] = change.Name.Length > 0 ? change.Name : change.ImageId });
}
