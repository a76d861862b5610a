using Candela.Guest.Protocol.Host;
using Candela.Microvisor;
using Microsoft.Extensions.Logging;

namespace Candela.Machine.Files;

/// <summary>A micro-VM that has a stopped container's disks mounted and runs nothing: by it, files of the container are read and written.</summary>
internal sealed partial class IdleMicroVm : IAsyncDisposable
{
    private readonly RunContext _context;
    private readonly IMicroVm _vm;
    private readonly RunLease _lease;
    private readonly IAgent _agent;

    private IdleMicroVm(RunContext context, IMicroVm vm, RunLease lease, IAgent agent)
    {
        _context = context;
        _vm = vm;
        _lease = lease;
        _agent = agent;
    }

    /// <summary>Its agent; the container's root is mounted.</summary>
    public IAgent Agent => _agent;

    /// <summary>Connects to a fresh clone and has it mount the disks.</summary>
    /// <param name="context">The Machine.</param>
    /// <param name="vm">The clone; ended when this fails.</param>
    /// <param name="lease">The disks in use; given back when this fails.</param>
    /// <param name="configuration">What to mount.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<IdleMicroVm> OpenAsync(
        RunContext context, IMicroVm vm, RunLease lease, GuestConfiguration configuration, CancellationToken cancellationToken)
    {
        IAgent? agent = null;
        try
        {
            Stream stream = await vm.ConnectAgentAsync(cancellationToken);
            agent = await context.ConnectAgent(stream, Nothing.Instance, false, cancellationToken);
            await agent.ConfigureAsync(configuration, cancellationToken);
            return new IdleMicroVm(context, vm, lease, agent);
        }
        catch
        {
            await EndAsync(vm, lease, agent);
            throw;
        }
    }

    /// <summary>Unmounts, powers off, and takes it apart. What was written is on the disk afterwards.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            using var deadline = new CancellationTokenSource(_context.Options.PowerOffTimeout, _context.Time);
            await _agent.PowerOffAsync(deadline.Token);
            await _vm.Exited.WaitAsync(deadline.Token);
        }
        catch (Exception e)
        {
            Log.PowerOffFailed(_context.Logger, _vm.Record.Id, e.Message);
        }

        await EndAsync(_vm, _lease, _agent);
    }

    private static async Task EndAsync(IMicroVm vm, RunLease lease, IAgent? agent)
    {
        await vm.KillAsync(CancellationToken.None);
        if (agent is not null)
            await agent.DisposeAsync();
        await vm.DisposeAsync();
        lease.Dispose();
    }

    /// <summary>There are no processes to hear of.</summary>
    private sealed class Nothing : IAgentEvents
    {
        public static readonly Nothing Instance = new();

        public ValueTask OnOutputAsync(uint process, OutputStream stream, ulong position, ReadOnlyMemory<byte> data) => ValueTask.CompletedTask;

        public ValueTask OnExitAsync(uint process, ProcessExit exit) => ValueTask.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "micro-VM {MicroVm}, by which files were read or written, did not power off and is killed: {Reason}")]
        public static partial void PowerOffFailed(ILogger logger, string microVm, string reason);
    }
}
