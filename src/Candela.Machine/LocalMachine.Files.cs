using Candela.Guest.Protocol.Host;
using Candela.Machine.Files;
using Candela.Machine.Launch;
using Candela.Microvisor;
using Candela.Model;
using Candela.Storage;

namespace Candela.Machine;

/// <summary>Files of containers, running or not.</summary>
public sealed partial class LocalMachine
{
    /// <inheritdoc/>
    public Task ReadArchiveAsync(Container container, string path, Func<PathStat, Task<Stream>> begin, CancellationToken cancellationToken) =>
        WithFilesAsync(
            container,
            async agent =>
            {
                ArchiveStat stat = await agent.StatAsync(path, cancellationToken);
                Stream destination = await begin(ToPathStat(stat));
                await agent.ReadArchiveAsync(path, destination, cancellationToken);
            },
            cancellationToken);

    /// <inheritdoc/>
    public async Task<PathStat> StatPathAsync(Container container, string path, CancellationToken cancellationToken)
    {
        PathStat? stat = null;
        await WithFilesAsync(container, async agent => stat = ToPathStat(await agent.StatAsync(path, cancellationToken)), cancellationToken);
        return stat!;
    }

    /// <inheritdoc/>
    public Task WriteArchiveAsync(Container container, string path, Stream tar, bool noOverwriteDirNonDir, CancellationToken cancellationToken)
    {
        if (container.Spec.ReadOnlyRootfs)
            throw new CandelaException(ErrorCode.Conflict, "container rootfs is marked read-only");
        return WithFilesAsync(container, agent => agent.WriteArchiveAsync(path, tar, noOverwriteDirNonDir, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public Task ExportAsync(Container container, Func<Task<Stream>> begin, CancellationToken cancellationToken) =>
        WithFilesAsync(container, async agent => await agent.ReadTreeAsync(GuestTree.Root, await begin(), cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task ReadLayerAsync(Container container, Stream destination, CancellationToken cancellationToken) =>
        WithFilesAsync(container, agent => agent.ReadTreeAsync(GuestTree.Layer, destination, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<FileChange>> ReadChangesAsync(Container container, CancellationToken cancellationToken)
    {
        IReadOnlyList<FileChange> changes = [];
        await WithFilesAsync(
            container,
            async agent =>
            {
                await using var list = new ChangeList();
                await agent.ReadTreeAsync(GuestTree.Changes, list, cancellationToken);
                changes = list.Sorted();
            },
            cancellationToken);
        return changes;
    }

    /// <summary>Does something with the agent that has the container's disks: the container's own, or that of a micro-VM made for this.</summary>
    private async Task WithFilesAsync(Container container, Func<IAgent, Task> work, CancellationToken cancellationToken)
    {
        ContainerSlot slot = Slot(container.Id);
        if (slot.Run is { HasEnded: false } run)
        {
            await Translate(work(run.Agent));
            return;
        }

        await slot.StartGate.WaitAsync(cancellationToken);
        try
        {
            if (slot.Run is { } former)
            {
                if (!former.HasEnded)
                    throw new CandelaException(ErrorCode.Conflict, $"container {container.Id} was started meanwhile: try again");
                await former.TornDown.WaitAsync(cancellationToken);
            }

            await using IdleMicroVm idle = await OpenIdleAsync(slot, container, cancellationToken);
            await Translate(work(idle.Agent));
        }
        finally
        {
            slot.StartGate.Release();
        }
    }

    private async Task<IdleMicroVm> OpenIdleAsync(ContainerSlot slot, Container container, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_options.StartTimeout);
        try
        {
            RunLease lease = await LeaseAsync(container, new VolumeHolder($"the reading or writing of files of container {container.Name}", static () => true), deadline.Token);
            IMicroVm vm;
            try
            {
                await EnsureScratchAsync(slot, deadline.Token);
                MicroVmSize size = SizeClass.For(new ContainerSpec { Image = "" }, _options); // the one of which some wait
                vm = await _microvisor.CloneAsync(NewClone(container.Id, size, lease.Image.Path, slot.ScratchPath, lease.VolumePaths), deadline.Token);
            }
            catch
            {
                lease.Dispose();
                throw;
            }

            return await Translate(IdleMicroVm.OpenAsync(_context, vm, lease, LaunchPlan.FilesOnly(container, lease.Image.FileSystem, _time), deadline.Token));
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CandelaException(ErrorCode.DeadlineExceeded, $"the container's disks could not be mounted within {_options.StartTimeout.TotalSeconds:0} s: look at the daemon's log", e);
        }
    }
}
