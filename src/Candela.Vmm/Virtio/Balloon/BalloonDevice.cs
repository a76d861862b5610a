using System.Buffers.Binary;
using Candela.Vmm.Memory;
using Candela.Vmm.Native;
using Candela.Vmm.State;
using Candela.Vmm.Virtio.Queue;

namespace Candela.Vmm.Virtio.Balloon;

/// <summary>
/// The memory balloon (virtio 1.2, section 5.5) with free page reporting: what the guest puts into it or reports as free goes back to the
/// host. The guest takes pages out as it likes.
/// </summary>
internal sealed unsafe class BalloonDevice : VirtioDevice
{
    private const ushort QueueSize = 128;

    // Page numbers read in one go, and most taken from one request.
    private const int NumbersAtOnce = 256, NumbersMaximum = 4096;

    private readonly GuestMemory _memory;
    private readonly IMemoryReclaim _reclaim;
    private readonly DescriptorChain _chain = new(QueueSize);
    private uint _wantedPages;
    private uint _actualPages;

    /// <summary>An empty balloon.</summary>
    public BalloonDevice(GuestMemory memory, IMemoryReclaim reclaim)
        : base(memory, QueueSize, QueueSize, QueueSize)
    {
        _memory = memory;
        _reclaim = reclaim;
    }

    /// <inheritdoc/>
    public override uint DeviceId => BalloonBits.VIRTIO_ID_BALLOON;

    /// <summary>Pages of 4 KiB that the guest says are in it.</summary>
    public uint ActualPages => _actualPages;

    /// <inheritdoc/>
    protected override ulong TypeFeatures => BalloonBits.VIRTIO_BALLOON_F_DEFLATE_ON_OOM | BalloonBits.VIRTIO_BALLOON_F_PAGE_REPORTING;

    /// <summary>Asks the guest to put so many pages of 4 KiB into it. Under the device's lock.</summary>
    public void SetWantedPages(uint count)
    {
        _wantedPages = count;
        Transport.NotifyConfiguration();
    }

    /// <inheritdoc/>
    public override void ReadConfiguration(uint offset, Span<byte> target)
    {
        Span<byte> configuration = stackalloc byte[BalloonBits.ConfigurationBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(configuration[BalloonBits.NumPagesAt..], _wantedPages);
        BinaryPrimitives.WriteUInt32LittleEndian(configuration[BalloonBits.ActualAt..], _actualPages);
        target.Clear();
        if (offset < BalloonBits.ConfigurationBytes)
            configuration.Slice((int)offset, Math.Min(target.Length, BalloonBits.ConfigurationBytes - (int)offset)).CopyTo(target);
    }

    /// <inheritdoc/>
    public override void WriteConfiguration(uint offset, ReadOnlySpan<byte> source)
    {
        if (offset == BalloonBits.ActualAt && source.Length == sizeof(uint))
            _actualPages = BinaryPrimitives.ReadUInt32LittleEndian(source);
    }

    /// <inheritdoc/>
    protected override void ProcessQueue(int index)
    {
        while (TryPop(index, _chain))
        {
            if (index == BalloonBits.InflateQueue)
                Inflate();
            else if (index == BalloonBits.ReportingQueue)
                Report();
            Queues[index].Push(_chain.Head, 0);
        }

        SignalUsed(index);
    }

    /// <inheritdoc/>
    protected override void OnReset() => _actualPages = 0;

    /// <inheritdoc/>
    protected override void SaveOwn(StateWriter state)
    {
        state.U32(_wantedPages);
        state.U32(_actualPages);
    }

    /// <inheritdoc/>
    protected override void LoadOwn(ref StateReader state)
    {
        _wantedPages = state.U32();
        _actualPages = state.U32();
    }

    // An array of page numbers (5.5.6); neighbours are given back together.
    private void Inflate()
    {
        Span<byte> numbers = stackalloc byte[NumbersAtOnce * sizeof(uint)];
        ulong start = 0, end = 0;
        uint mostBytes = Math.Min(_chain.ReadableBytes, NumbersMaximum * sizeof(uint));
        for (uint at = 0; at < mostBytes; at += (uint)numbers.Length)
        {
            int count = Math.Min(_chain.CopyFrom(at, numbers), (int)(mostBytes - at)) / sizeof(uint);
            for (int i = 0; i < count; i++)
            {
                ulong page = (ulong)BinaryPrimitives.ReadUInt32LittleEndian(numbers[(i * sizeof(uint))..]) * BalloonBits.PageBytes;
                if (page == end && end != 0)
                {
                    end += BalloonBits.PageBytes;
                    continue;
                }

                Release(start, end - start);
                start = page;
                end = page + BalloonBits.PageBytes;
            }
        }

        Release(start, end - start);
    }

    private void Release(ulong address, ulong lengthBytes)
    {
        if (lengthBytes != 0 && _memory.TryTranslate(address, lengthBytes, out byte* host))
            _reclaim.Release(host, (nuint)lengthBytes);
    }

    // The buffers themselves are the free pages (5.5.6.7).
    private void Report()
    {
        foreach (IoVector buffer in _chain.Writable)
        {
            nuint start = ((nuint)buffer.Start + BalloonBits.PageBytes - 1) & ~(nuint)(BalloonBits.PageBytes - 1);
            nuint end = ((nuint)buffer.Start + buffer.Length) & ~(nuint)(BalloonBits.PageBytes - 1);
            if (start < end)
                _reclaim.Release((byte*)start, end - start);
        }
    }
}
