using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>All containers in memory, by id and by name. The daemon is the only writer of the state store, so this is what is.</summary>
internal sealed class ContainerTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ContainerEntry> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Project, string Name), ContainerEntry> _byName = [];

    /// <summary>Containers, those being created included.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _byName.Count;
        }
    }

    /// <summary>Containers whose process runs or is paused.</summary>
    public int RunningCount
    {
        get
        {
            lock (_gate)
                return _byId.Values.Count(e => e.Record.Status.State is ContainerState.Running or ContainerState.Paused);
        }
    }

    /// <summary>Holds a name for a container that is about to be recorded.</summary>
    /// <exception cref="CandelaException">AlreadyExists.</exception>
    public void Reserve(ContainerEntry entry, string name)
    {
        if (TryReserve(entry, name) is { } holder)
        {
            throw new CandelaException(
                ErrorCode.AlreadyExists,
                $"Conflict. The container name \"/{name}\" is already in use by container \"{holder.Id}\". You have to remove (or rename) that container to be able to reuse that name.");
        }
    }

    /// <summary>Holds a name; or returns who holds it.</summary>
    public ContainerEntry? TryReserve(ContainerEntry entry, string name)
    {
        lock (_gate)
        {
            var key = (entry.Record.Project, name);
            return _byName.TryAdd(key, entry) ? null : _byName[key];
        }
    }

    /// <summary>Gives a name back.</summary>
    public void Release(ContainerEntry entry, string name)
    {
        lock (_gate)
        {
            var key = (entry.Record.Project, name);
            if (_byName.GetValueOrDefault(key) == entry)
                _byName.Remove(key);
        }
    }

    /// <summary>Makes a container visible whose name is held.</summary>
    public void Publish(ContainerEntry entry)
    {
        lock (_gate)
            _byId.Add(entry.Id, entry);
    }

    /// <summary>Takes a container and its name away.</summary>
    public void Remove(ContainerEntry entry)
    {
        lock (_gate)
        {
            _byId.Remove(entry.Id);
            Release(entry, entry.Record.Name);
        }
    }

    /// <summary>By full id, whatever its project; null when it is not there.</summary>
    public ContainerEntry? Find(string id)
    {
        lock (_gate)
            return _byId.GetValueOrDefault(id);
    }

    /// <summary>By name, full id, or unambiguous id prefix, in this order.</summary>
    /// <exception cref="CandelaException">NotFound; InvalidArgument when several have the prefix.</exception>
    public ContainerEntry Get(string project, string reference)
    {
        lock (_gate)
        {
            var name = reference.StartsWith('/') ? reference[1..] : reference;
            if (_byName.TryGetValue((project, name), out var entry) && _byId.ContainsKey(entry.Id))
                return entry;
            if (_byId.TryGetValue(reference, out entry) && entry.Record.Project == project)
                return entry;
            ContainerEntry? found = null;
            if (reference.Length > 0)
            {
                foreach (var (id, candidate) in _byId)
                {
                    if (!id.StartsWith(reference, StringComparison.Ordinal) || candidate.Record.Project != project)
                        continue;
                    if (found is not null)
                        throw new CandelaException(ErrorCode.InvalidArgument, $"multiple IDs found with provided prefix: {reference}");
                    found = candidate;
                }
            }

            return found ?? throw new CandelaException(ErrorCode.NotFound, $"No such container: {reference}");
        }
    }

    /// <summary>All of a project (null: of every one).</summary>
    public IReadOnlyList<ContainerEntry> List(string? project)
    {
        lock (_gate)
            return [.. _byId.Values.Where(entry => project is null || entry.Record.Project == project)];
    }

    /// <summary>Containers that mount a volume; those being created count.</summary>
    public IReadOnlyList<Container> UsersOfVolume(string volumeId)
    {
        lock (_gate)
            return [.. _byName.Values.Select(static entry => entry.Record).Where(record => record.Volumes.Any(volume => volume.VolumeId == volumeId)).OrderBy(static record => record.Id, StringComparer.Ordinal)];
    }

    /// <summary>A container of this image, a running one if there is one; those being created count. Null: none.</summary>
    public Container? FindUser(string imageId)
    {
        lock (_gate)
        {
            return _byName.Values.Select(static entry => entry.Record).Where(record => record.ImageId == imageId)
                .OrderByDescending(static record => record.Status.State is ContainerState.Running or ContainerState.Paused or ContainerState.Restarting)
                .FirstOrDefault();
        }
    }
}
