using Candela.Vmm.Native;

namespace Candela.Vmm.Virtio.Balloon;

/// <summary>
/// madvise(2). A page of a private mapping goes back to what the parent's file holds there, which the guest knows; of a shared file, a hole
/// is made.
/// </summary>
internal sealed unsafe class PageRelease(bool isPrivate) : IMemoryReclaim
{
    private const int MADV_DONTNEED = 4, MADV_REMOVE = 9;

    /// <inheritdoc/>
    public void Release(byte* start, nuint lengthBytes) => _ = Libc.madvise(start, lengthBytes, isPrivate ? MADV_DONTNEED : MADV_REMOVE);
}
