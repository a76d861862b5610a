using Candela.Vmm.Native;
using Candela.Vmm.Virtio.Block;

namespace Candela.Vmm.Tests.Support;

/// <summary>A disk in an array.</summary>
internal sealed unsafe class MemoryBackend(int sizeBytes) : IBlockBackend
{
    public byte[] Content { get; } = new byte[sizeBytes];

    public int FlushCount { get; private set; }

    public bool IsBroken { get; set; }

    public bool TryRead(ReadOnlySpan<IoVector> buffers, ulong offsetBytes)
    {
        if (IsBroken)
            return false;
        foreach (IoVector buffer in buffers)
        {
            Content.AsSpan((int)offsetBytes, (int)buffer.Length).CopyTo(new Span<byte>(buffer.Start, (int)buffer.Length));
            offsetBytes += buffer.Length;
        }

        return true;
    }

    public bool TryWrite(ReadOnlySpan<IoVector> buffers, ulong offsetBytes)
    {
        if (IsBroken)
            return false;
        foreach (IoVector buffer in buffers)
        {
            new ReadOnlySpan<byte>(buffer.Start, (int)buffer.Length).CopyTo(Content.AsSpan((int)offsetBytes));
            offsetBytes += buffer.Length;
        }

        return true;
    }

    public bool TryZero(ulong offsetBytes, ulong lengthBytes, bool deallocate)
    {
        Content.AsSpan((int)offsetBytes, (int)lengthBytes).Clear();
        return !IsBroken;
    }

    public bool TryFlush()
    {
        FlushCount++;
        return !IsBroken;
    }
}
