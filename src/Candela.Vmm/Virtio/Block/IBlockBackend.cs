using Candela.Vmm.Native;

namespace Candela.Vmm.Virtio.Block;

/// <summary>Where a block device's bytes are. Offsets and lengths are checked by the device; false is an I/O error.</summary>
internal interface IBlockBackend
{
    /// <summary>Fills the buffers from an offset on. What was never written is zero.</summary>
    bool TryRead(ReadOnlySpan<IoVector> buffers, ulong offsetBytes);

    /// <summary>Writes the buffers from an offset on.</summary>
    bool TryWrite(ReadOnlySpan<IoVector> buffers, ulong offsetBytes);

    /// <summary>Makes a range zero, and with <paramref name="deallocate"/> gives its space back if the storage can.</summary>
    bool TryZero(ulong offsetBytes, ulong lengthBytes, bool deallocate);

    /// <summary>Makes what was written durable.</summary>
    bool TryFlush();
}
