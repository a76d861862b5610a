using Candela.Controller;
using Candela.Model;

namespace Candela.Docker.Tests.Fake;

/// <summary>Volumes in memory, without disks.</summary>
internal sealed class FakeVolumeService : IVolumeService
{
    private readonly SortedDictionary<string, VolumeUsage> _volumes = new(StringComparer.Ordinal);

    public Task<Volume> CreateAsync(Caller caller, VolumeSpec spec, CancellationToken cancellationToken)
    {
        var name = spec.Name ?? new string('a', 64);
        var volume = new Volume
        {
            Id = new string('0', 32), Name = name, Project = "default", CreatedAt = DateTimeOffset.UnixEpoch, SizeBytes = 1 << 30,
            Labels = spec.Labels, Options = spec.Options, IsAnonymous = spec.Name is null,
        };
        _volumes.TryAdd(name, new VolumeUsage(volume, 4096, name == "used" ? 1 : 0));
        return Task.FromResult(_volumes[name].Volume);
    }

    public Task<IReadOnlyList<VolumeUsage>> ListAsync(Caller caller, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<VolumeUsage>>([.. _volumes.Values]);

    public Task<VolumeUsage> GetAsync(Caller caller, string name, CancellationToken cancellationToken) => Task.FromResult(Find(name));

    public Task RemoveAsync(Caller caller, string name, CancellationToken cancellationToken)
    {
        if (Find(name).ContainerCount > 0)
            throw new CandelaException(ErrorCode.Conflict, $"remove {name}: volume is in use - [x]");
        _volumes.Remove(name);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<VolumeUsage>> PruneAsync(Caller caller, Func<Volume, bool> filter, CancellationToken cancellationToken)
    {
        List<VolumeUsage> gone = [.. _volumes.Values.Where(usage => usage.ContainerCount == 0 && filter(usage.Volume))];
        gone.ForEach(usage => _volumes.Remove(usage.Volume.Name));
        return Task.FromResult<IReadOnlyList<VolumeUsage>>(gone);
    }

    private VolumeUsage Find(string name) => _volumes.GetValueOrDefault(name) ?? throw new CandelaException(ErrorCode.NotFound, $"get {name}: no such volume");
}
