using Candela.Vmm.Native;

namespace Candela.Vmm.Virtio.Queue;

/// <summary>
/// The buffers of one request: first those that the device reads, then those that it writes (virtio 1.2, 2.7.4.2). Filled by
/// <see cref="Virtqueue.TryPop"/>, which has checked every address; used again for each request, so that I/O allocates nothing.
/// </summary>
internal sealed unsafe class DescriptorChain
{
    private readonly IoVector[] _buffers;

    /// <summary>For chains of up to so many buffers.</summary>
    public DescriptorChain(int capacity) => _buffers = GC.AllocateArray<IoVector>(capacity, pinned: true);

    /// <summary>Index of the first descriptor, which names the chain when it is returned.</summary>
    public ushort Head { get; private set; }

    /// <summary>Buffers that the device reads.</summary>
    public ReadOnlySpan<IoVector> Readable => _buffers.AsSpan(0, ReadableCount);

    /// <summary>Buffers that the device writes.</summary>
    public ReadOnlySpan<IoVector> Writable => _buffers.AsSpan(ReadableCount, WritableCount);

    /// <summary>Sum of the readable buffers' lengths.</summary>
    public uint ReadableBytes { get; private set; }

    /// <summary>Sum of the writable buffers' lengths.</summary>
    public uint WritableBytes { get; private set; }

    private int ReadableCount { get; set; }

    private int WritableCount { get; set; }

    /// <summary>Copies readable bytes from an offset on; the result is how many there were.</summary>
    public int CopyFrom(uint offset, Span<byte> target)
    {
        int done = 0;
        foreach (IoVector buffer in Readable)
        {
            if (offset >= buffer.Length)
            {
                offset -= (uint)buffer.Length;
                continue;
            }

            int count = (int)Math.Min((uint)(target.Length - done), (uint)buffer.Length - offset);
            new ReadOnlySpan<byte>(buffer.Start + offset, count).CopyTo(target[done..]);
            done += count;
            offset = 0;
            if (done == target.Length)
                break;
        }

        return done;
    }

    /// <summary>Copies bytes into the writable buffers from an offset on; the result is how many found room.</summary>
    public int CopyTo(uint offset, ReadOnlySpan<byte> source)
    {
        int done = 0;
        foreach (IoVector buffer in Writable)
        {
            if (offset >= buffer.Length)
            {
                offset -= (uint)buffer.Length;
                continue;
            }

            int count = (int)Math.Min((uint)(source.Length - done), (uint)buffer.Length - offset);
            source.Slice(done, count).CopyTo(new Span<byte>(buffer.Start + offset, count));
            done += count;
            offset = 0;
            if (done == source.Length)
                break;
        }

        return done;
    }

    /// <summary>
    /// The part of some buffers from an offset on, at most so many bytes, for readv and its kin; the result is the count of vectors written.
    /// </summary>
    public static int Slice(ReadOnlySpan<IoVector> buffers, uint offset, uint lengthBytes, Span<IoVector> target)
    {
        int count = 0;
        foreach (IoVector buffer in buffers)
        {
            if (lengthBytes == 0 || count == target.Length)
                break;
            if (offset >= buffer.Length)
            {
                offset -= (uint)buffer.Length;
                continue;
            }

            uint part = Math.Min(lengthBytes, (uint)buffer.Length - offset);
            target[count++] = new IoVector { Start = buffer.Start + offset, Length = part };
            lengthBytes -= part;
            offset = 0;
        }

        return count;
    }

    internal void Start(ushort head)
    {
        Head = head;
        ReadableCount = WritableCount = 0;
        ReadableBytes = WritableBytes = 0;
    }

    /// <summary>False: too many buffers, more than 2³² - 1 bytes, or a readable one after a writable one.</summary>
    internal bool TryAdd(byte* start, uint lengthBytes, bool isWritable)
    {
        int count = ReadableCount + WritableCount;
        if (count == _buffers.Length || ReadableBytes + (ulong)WritableBytes + lengthBytes > uint.MaxValue || (!isWritable && WritableCount != 0))
            return false;
        _buffers[count] = new IoVector { Start = start, Length = lengthBytes };
        if (isWritable)
        {
            WritableCount++;
            WritableBytes += lengthBytes;
        }
        else
        {
            ReadableCount++;
            ReadableBytes += lengthBytes;
        }

        return true;
    }
}
