using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Candela.Controller.Containers;
using Candela.Controller.Events;
using Candela.Controller.Storage;
using Candela.Model;
using Candela.Storage;
using Microsoft.Extensions.Logging;

namespace Candela.Controller.Volumes;

/// <summary>
/// Volumes, and which containers mount them. The disk is made before the record and deleted after it, so that an end of the daemon in
/// between leaves at most a disk without a record, which goes at the next start.
/// </summary>
internal sealed partial class VolumeService(
    ControllerOptions options, VolumeTable table, ContainerTable containers, ProjectTable projects, EventLog events, IVolumeDisks disks, TimeProvider time, ILogger<VolumeService> logger)
    : IVolumeService, IDisposable
{
    private const int IdBytes = 16, AnonymousNameBytes = 32;

    // A container is made and a volume removed one after the other, so that none goes away between being found and being used.
    private readonly SemaphoreSlim _gate = new(1, 1);

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]+\\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern { get; }

    /// <summary>Deletes disks that no volume has, at the daemon's start.</summary>
    public void Sweep() => disks.Sweep(table.Ids);

    public Task<Volume> CreateAsync(Caller caller, VolumeSpec spec, CancellationToken cancellationToken) =>
        UnderGateAsync(async () =>
        {
            projects.Check(caller.Project);
            return spec.Name is not null && table.Find(caller.Project, spec.Name) is { } volume ? volume : await MakeAsync(caller.Project, spec, cancellationToken);
        }, cancellationToken);

    public Task<IReadOnlyList<VolumeUsage>> ListAsync(Caller caller, CancellationToken cancellationToken)
    {
        projects.Check(caller.Project);
        return Task.FromResult<IReadOnlyList<VolumeUsage>>([.. table.Of(caller.Project).Select(Usage)]);
    }

    public Task<VolumeUsage> GetAsync(Caller caller, string name, CancellationToken cancellationToken) => Task.FromResult(Usage(Find(caller, name)));

    public Task RemoveAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        UnderGateAsync(async () =>
        {
            var volume = Find(caller, name);
            var users = containers.UsersOfVolume(volume.Id);
            if (users.Count > 0)
                throw new CandelaException(ErrorCode.Conflict, $"remove {name}: volume is in use - [{string.Join(", ", users.Select(static user => user.Id))}]");
            await DestroyAsync(volume);
            return true;
        }, cancellationToken);

    public Task<IReadOnlyList<VolumeUsage>> PruneAsync(Caller caller, Func<Volume, bool> filter, CancellationToken cancellationToken) =>
        UnderGateAsync<IReadOnlyList<VolumeUsage>>(async () =>
        {
            projects.Check(caller.Project);
            var gone = new List<VolumeUsage>();
            foreach (var usage in table.Of(caller.Project).Where(filter).Select(Usage).Where(static usage => usage.ContainerCount == 0).ToList())
            {
                await DestroyAsync(usage.Volume);
                gone.Add(usage);
            }

            return gone;
        }, cancellationToken);

    /// <summary>
    /// Finds the volumes of a container whose name is held, making those that are not there, and writes them into its record: from then on
    /// they are in use.
    /// </summary>
    /// <param name="entry">The container.</param>
    /// <param name="imageVolumes">Folders that the image declares.</param>
    /// <param name="cancellationToken">Gives up; anonymous volumes made so far go.</param>
    public Task ResolveAsync(ContainerEntry entry, IReadOnlyList<string> imageVolumes, CancellationToken cancellationToken)
    {
        var spec = entry.Record.Spec;
        if (spec.Volumes.Count + spec.VolumesFrom.Count + imageVolumes.Count == 0)
            return Task.CompletedTask;
        return UnderGateAsync(async () =>
        {
            var plan = new VolumePlan(spec, imageVolumes, reference => containers.Get(entry.Record.Project, reference).Record);
            var volumes = new List<ContainerVolume>(plan.Inherited);
            try
            {
                foreach (var mount in plan.Wanted)
                    volumes.Add(await MountAsync(entry.Record.Project, mount, cancellationToken));
            }
            catch
            {
                foreach (var volume in volumes.Where(static volume => volume.IsAnonymous).Except(plan.Inherited))
                    await TryDestroyAsync(entry.Record.Project, volume.Name);
                throw;
            }

            lock (entry.Sync)
                entry.Update(record => record with { Volumes = volumes });
            return true;
        }, cancellationToken);
    }

    /// <summary>Removes the anonymous volumes of a container that is gone, but for those that others mount too.</summary>
    public Task RemoveAnonymousAsync(Container container)
    {
        var names = container.Volumes.Where(static volume => volume.IsAnonymous).ToList();
        return names.Count == 0 ? Task.CompletedTask : UnderGateAsync(async () =>
        {
            foreach (var volume in names.Where(volume => containers.UsersOfVolume(volume.VolumeId).Count == 0))
                await TryDestroyAsync(container.Project, volume.Name);
            return true;
        }, CancellationToken.None);
    }

    /// <summary>Tells that a container's volumes are mounted or no longer.</summary>
    public void Tell(Container container, string action)
    {
        foreach (var volume in container.Volumes)
        {
            var attributes = new Dictionary<string, string> { ["container"] = container.Id, ["driver"] = "local" };
            if (action == "mount")
            {
                attributes["destination"] = volume.Target;
                attributes["read/write"] = volume.ReadOnly ? "false" : "true";
                attributes["propagation"] = "";
            }

            events.Add(container.Project, "volume", action, volume.Name, attributes);
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task<ContainerVolume> MountAsync(string project, VolumeMountSpec mount, CancellationToken cancellationToken)
    {
        var name = mount.Source.Length > 0 ? mount.Source : null;
        var volume = name is null ? null : table.Find(project, name);
        volume ??= await MakeAsync(project, new VolumeSpec { Name = name, Labels = mount.Labels, Options = mount.Options }, cancellationToken);
        return new ContainerVolume(volume.Id, volume.Name, mount.Target, mount.ReadOnly, mount.NoCopy, name is null);
    }

    private async Task<Volume> MakeAsync(string project, VolumeSpec spec, CancellationToken cancellationToken)
    {
        if (table.Count(project) >= options.VolumeCount)
            throw new CandelaException(ErrorCode.ResourceExhausted, $"at most {options.VolumeCount} volumes are allowed: remove some first (docker volume rm)");
        var name = spec.Name ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(AnonymousNameBytes));
        if (name.Length > Limits.NameLength || !NamePattern.IsMatch(name))
        {
            throw new CandelaException(
                ErrorCode.InvalidArgument,
                $"create {name}: \"{name}\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path");
        }

        var size = VolumeOptions.SizeBytes(spec.Options);
        var volume = new Volume
        {
            Id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes)),
            Name = name,
            Project = project,
            CreatedAt = time.GetUtcNow(),
            SizeBytes = size == 0 ? StorageLimits.VolumeBytesDefault : size,
            Labels = spec.Labels,
            Options = spec.Options,
            IsAnonymous = spec.Name is null,
        };
        await disks.CreateAsync(volume.Id, size, cancellationToken);
        await table.AddAsync(volume);
        Tell(volume, "create");
        return volume;
    }

    private async Task DestroyAsync(Volume volume)
    {
        await table.RemoveAsync(volume);
        disks.Delete(volume.Id);
        Tell(volume, "destroy");
    }

    private async Task TryDestroyAsync(string project, string name)
    {
        try
        {
            if (table.Find(project, name) is { } volume)
                await DestroyAsync(volume);
        }
        catch (Exception e) when (e is CandelaException or IOException)
        {
            Log.NotRemoved(logger, name, e);
        }
    }

    private void Tell(Volume volume, string action) => events.Add(volume.Project, "volume", action, volume.Name, new Dictionary<string, string> { ["driver"] = "local" });

    private Volume Find(Caller caller, string name)
    {
        projects.Check(caller.Project);
        return table.Find(caller.Project, name) ?? throw new CandelaException(ErrorCode.NotFound, $"get {name}: no such volume");
    }

    private VolumeUsage Usage(Volume volume) => new(volume, disks.UsedBytes(volume.Id), containers.UsersOfVolume(volume.Id).Count);

    private async Task<T> UnderGateAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return await work();
        }
        finally
        {
            _gate.Release();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The anonymous volume {Name} could not be removed: docker volume rm removes it")]
        public static partial void NotRemoved(ILogger logger, string name, Exception reason);
    }
}
