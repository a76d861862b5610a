using Candela.Model;

namespace Candela.Controller;

/// <summary>Volumes of a project. Failures are <see cref="CandelaException"/>s.</summary>
public interface IVolumeService
{
    /// <summary>Creates; a volume of that name that is there already is what the result is. InvalidArgument.</summary>
    Task<Volume> CreateAsync(Caller caller, VolumeSpec spec, CancellationToken cancellationToken);

    /// <summary>All of the caller's project, by name.</summary>
    Task<IReadOnlyList<VolumeUsage>> ListAsync(Caller caller, CancellationToken cancellationToken);

    /// <summary>One. NotFound.</summary>
    Task<VolumeUsage> GetAsync(Caller caller, string name, CancellationToken cancellationToken);

    /// <summary>Removes with all data. NotFound; Conflict while a container, running or not, mounts it.</summary>
    Task RemoveAsync(Caller caller, string name, CancellationToken cancellationToken);

    /// <summary>Removes those that no container mounts and that the filter takes.</summary>
    /// <returns>Those that went, with what they took.</returns>
    Task<IReadOnlyList<VolumeUsage>> PruneAsync(Caller caller, Func<Volume, bool> filter, CancellationToken cancellationToken);
}
