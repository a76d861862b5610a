using Candela.Vmm.Native;

namespace Candela.Vmm.Virtio.Console;

/// <summary>The host's end of a port. Never blocks.</summary>
internal interface IHostStream
{
    /// <summary>Reads into the buffers: the count of bytes, 0 when there are none now, -1 when the host has hung up.</summary>
    int Read(ReadOnlySpan<IoVector> buffers);

    /// <summary>Writes from the buffers: the count of bytes, 0 when there is no room now, -1 when the host has hung up.</summary>
    int Write(ReadOnlySpan<IoVector> buffers);
}
