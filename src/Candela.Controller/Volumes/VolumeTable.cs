using System.Collections.Concurrent;
using System.Text.Json;
using Candela.Controller.Storage;
using Candela.Model;
using Candela.State;

namespace Candela.Controller.Volumes;

/// <summary>The volumes of all projects, in memory and in the state store.</summary>
internal sealed class VolumeTable(IStateStore store)
{
    private readonly ConcurrentDictionary<(string Project, string Name), Volume> _volumes = new();

    /// <summary>Ids of all.</summary>
    public IReadOnlySet<string> Ids => _volumes.Values.Select(static volume => volume.Id).ToHashSet(StringComparer.Ordinal);

    /// <summary>How many a project has.</summary>
    public int Count(string project) => _volumes.Keys.Count(key => key.Project == project);

    /// <summary>Takes a stored one in, at the daemon's start.</summary>
    public void Load(StateEntry document)
    {
        var volume = JsonSerializer.Deserialize(document.Value.Span, ControllerJson.Default.Volume)
            ?? throw new CandelaException(ErrorCode.Internal, $"the state store has an empty document at {document.Key}");
        _volumes[(volume.Project, volume.Name)] = volume;
    }

    /// <summary>A project's, by name.</summary>
    public IEnumerable<Volume> Of(string project) => _volumes.Values.Where(volume => volume.Project == project).OrderBy(static volume => volume.Name, StringComparer.Ordinal);

    /// <summary>By name; null: there is none.</summary>
    public Volume? Find(string project, string name) => _volumes.GetValueOrDefault((project, name));

    /// <summary>Adds one, durably.</summary>
    public async Task AddAsync(Volume volume)
    {
        var key = StateKeys.Volume(volume.Project, volume.Name);
        var result = await store.CommitAsync(
            new StateTransaction().Expect(key, 0).Put(key, JsonSerializer.SerializeToUtf8Bytes(volume, ControllerJson.Default.Volume)), CancellationToken.None);
        if (!result.Succeeded)
            throw new CandelaException(ErrorCode.Internal, $"the state store is inconsistent: {key} exists already");
        _volumes[(volume.Project, volume.Name)] = volume;
    }

    /// <summary>Takes one away, durably.</summary>
    public async Task RemoveAsync(Volume volume)
    {
        await store.CommitAsync(new StateTransaction().Delete(StateKeys.Volume(volume.Project, volume.Name)), CancellationToken.None);
        _volumes.TryRemove((volume.Project, volume.Name), out _);
    }
}
