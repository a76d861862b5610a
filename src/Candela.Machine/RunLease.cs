using Candela.Images;
using Candela.Storage;

namespace Candela.Machine;

/// <summary>What a micro-VM uses of others' and gives back when nothing of it is left: the image and the volumes.</summary>
internal sealed class RunLease(BlockImageLease image, VolumeLease volumes) : IDisposable
{
    /// <summary>The image's disk.</summary>
    public BlockImageLease Image => image;

    /// <summary>The volumes' disks.</summary>
    public IReadOnlyList<string> VolumePaths => volumes.Paths;

    /// <inheritdoc/>
    public void Dispose()
    {
        volumes.Dispose();
        image.Dispose();
    }
}
