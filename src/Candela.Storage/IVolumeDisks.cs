using Candela.Model;

namespace Candela.Storage;

/// <summary>The disks of volumes on this machine: sparse ext4 files. A host kernel never mounts them.</summary>
public interface IVolumeDisks
{
    /// <summary>Makes and formats a volume's disk. AlreadyExists; InvalidArgument when the size is out of range.</summary>
    /// <param name="id">32 hexadecimal digits.</param>
    /// <param name="sizeBytes">Its size, at least <see cref="StorageLimits.VolumeBytesLeast"/>; 0: the default.</param>
    /// <param name="cancellationToken">Gives up; nothing is left.</param>
    Task CreateAsync(string id, long sizeBytes, CancellationToken cancellationToken);

    /// <summary>Deletes a volume's disk; one that is not there is fine. Conflict while it is attached.</summary>
    void Delete(string id);

    /// <summary>Bytes that it takes on the host's disk.</summary>
    long UsedBytes(string id);

    /// <summary>Deletes all disks but these: what an earlier daemon left half-made or half-removed.</summary>
    void Sweep(IReadOnlySet<string> known);

    /// <summary>
    /// Attaches volumes to a micro-VM, each to no other one. Waits where the other one is ending.
    /// </summary>
    /// <exception cref="CandelaException">Conflict: one is attached to a micro-VM that goes on; NotFound: it has no disk.</exception>
    Task<VolumeLease> AttachAsync(IReadOnlyList<string> ids, VolumeHolder holder, CancellationToken cancellationToken);
}
