using Candela.Vmm.Memory;
using Candela.Vmm.State;

namespace Candela.Vmm.Virtio.Queue;

/// <summary>
/// The device's side of a split virtqueue (virtio 1.2, section 2.7). Everything that the driver wrote is taken as hostile: each field
/// is read once, every address is checked before it is used, and a chain ends after as many buffers as the queue has descriptors.
/// Not safe for threads; the device's lock is held.
/// </summary>
internal sealed unsafe class Virtqueue
{
    private readonly GuestMemory _memory;

    // Host addresses of the three parts while the queue is ready. Guest memory never moves.
    private SplitRing.Descriptor* _table;
    private ushort* _available;
    private ushort* _used;
    private ushort _nextAvailable;
    private ushort _nextUsed;
    private ushort _signalledUsed;
    private bool _hasSignalled;

    /// <summary>A queue of at most so many descriptors, a power of two.</summary>
    public Virtqueue(GuestMemory memory, ushort sizeMaximum)
    {
        _memory = memory;
        SizeMaximum = sizeMaximum;
        Size = sizeMaximum;
    }

    /// <summary>Most descriptors that the driver may choose.</summary>
    public ushort SizeMaximum { get; }

    /// <summary>Descriptors that the driver chose.</summary>
    public ushort Size { get; set; }

    /// <summary>Guest physical address of the descriptor table.</summary>
    public ulong TableAddress { get; set; }

    /// <summary>Guest physical address of the available ring.</summary>
    public ulong AvailableAddress { get; set; }

    /// <summary>Guest physical address of the used ring.</summary>
    public ulong UsedAddress { get; set; }

    /// <summary>Whether the driver may make buffers available.</summary>
    public bool IsReady { get; private set; }

    /// <summary>VIRTIO_F_EVENT_IDX was negotiated (2.7.7.2, 2.7.10).</summary>
    public bool UsesEventIndex { get; set; }

    /// <summary>Whether the driver has made something available that was not taken.</summary>
    public bool HasAvailable => IsReady && Volatile.Read(ref _available[1]) != _nextAvailable;

    /// <summary>Makes it ready; false when size, alignment or an address is not allowed.</summary>
    public bool TryEnable()
    {
        if (Size == 0 || Size > SizeMaximum || (Size & (Size - 1)) != 0
            || TableAddress % SplitRing.DescriptorTableAlignment != 0 || AvailableAddress % SplitRing.AvailableAlignment != 0 || UsedAddress % SplitRing.UsedAlignment != 0
            || !_memory.TryTranslate(TableAddress, (ulong)SplitRing.DescriptorBytes * Size, out byte* table)
            || !_memory.TryTranslate(AvailableAddress, SplitRing.AvailableBytes(Size), out byte* available)
            || !_memory.TryTranslate(UsedAddress, SplitRing.UsedBytes(Size), out byte* used))
            return false;
        _table = (SplitRing.Descriptor*)table;
        _available = (ushort*)available;
        _used = (ushort*)used;
        IsReady = true;
        return true;
    }

    /// <summary>Stops using the guest's memory; the positions stay.</summary>
    public void Disable() => IsReady = false;

    /// <summary>Back to the state after power-on.</summary>
    public void Reset()
    {
        IsReady = false;
        UsesEventIndex = false;
        Size = SizeMaximum;
        TableAddress = AvailableAddress = UsedAddress = 0;
        _nextAvailable = _nextUsed = _signalledUsed = 0;
        _hasSignalled = false;
    }

    /// <summary>Takes the next request.</summary>
    public PopResult TryPop(DescriptorChain chain)
    {
        if (!IsReady)
            return PopResult.Empty;
        ushort available = Volatile.Read(ref _available[1]);
        if (available == _nextAvailable)
        {
            if (!UsesEventIndex)
                return PopResult.Empty;
            // Ask to be told of the next one, then look again: the driver may have added it in between (2.7.10).
            Volatile.Write(ref AvailableEvent, _nextAvailable);
            Thread.MemoryBarrier();
            available = Volatile.Read(ref _available[1]);
            if (available == _nextAvailable)
                return PopResult.Empty;
        }

        if ((ushort)(available - _nextAvailable) > Size)
            return PopResult.Malformed;
        ushort head = Volatile.Read(ref _available[2 + (_nextAvailable & (Size - 1))]);
        if (!TryWalk(head, chain))
            return PopResult.Malformed;
        _nextAvailable++;
        return PopResult.Chain;
    }

    /// <summary>Gives the chain that was taken last back untouched; it will be taken again.</summary>
    public void UndoPop() => _nextAvailable--;

    /// <summary>Returns a request to the driver.</summary>
    /// <param name="head">The chain's first descriptor.</param>
    /// <param name="writtenBytes">How many bytes of its writable buffers were written, from the first on.</param>
    public void Push(ushort head, uint writtenBytes)
    {
        Stage(head, writtenBytes);
        Publish();
    }

    /// <summary>Prepares the return of a request, which the driver sees after <see cref="Publish"/> only.</summary>
    public void Stage(ushort head, uint writtenBytes)
    {
        if (!IsReady)
            return;
        uint* element = (uint*)(_used + 2) + 2 * (_nextUsed & (Size - 1));
        element[0] = head;
        element[1] = writtenBytes;
        _nextUsed++;
    }

    /// <summary>Shows the driver all that was staged.</summary>
    public void Publish()
    {
        if (IsReady)
            Volatile.Write(ref _used[1], _nextUsed);
    }

    /// <summary>Whether the driver wants an interrupt for what was returned since the last call (2.7.7).</summary>
    public bool TakeInterrupt()
    {
        if (!IsReady || (_hasSignalled && _signalledUsed == _nextUsed) || (!_hasSignalled && _nextUsed == 0))
            return false;
        // The index must be seen before the driver's wish is read (2.7.7.2).
        Thread.MemoryBarrier();
        bool isWanted;
        if (UsesEventIndex)
        {
            ushort wanted = Volatile.Read(ref _available[2 + Size]);
            isWanted = !_hasSignalled || (ushort)(_nextUsed - wanted - 1) < (ushort)(_nextUsed - _signalledUsed);
        }
        else
        {
            isWanted = (Volatile.Read(ref _available[0]) & SplitRing.VIRTQ_AVAIL_F_NO_INTERRUPT) == 0;
        }

        _signalledUsed = _nextUsed;
        _hasSignalled = true;
        return isWanted;
    }

    /// <summary>Saves position and addresses.</summary>
    public void Save(StateWriter state)
    {
        state.U16(Size);
        state.U64(TableAddress);
        state.U64(AvailableAddress);
        state.U64(UsedAddress);
        state.Flag(IsReady);
        state.Flag(UsesEventIndex);
        state.U16(_nextAvailable);
        state.U16(_nextUsed);
        state.U16(_signalledUsed);
        state.Flag(_hasSignalled);
    }

    /// <summary>Goes on where the saved queue was.</summary>
    /// <exception cref="StateException">The addresses do not fit this guest's memory.</exception>
    public void Load(ref StateReader state)
    {
        Reset();
        Size = state.U16();
        TableAddress = state.U64();
        AvailableAddress = state.U64();
        UsedAddress = state.U64();
        bool isReady = state.Flag();
        UsesEventIndex = state.Flag();
        if (isReady && !TryEnable())
            throw new StateException("a queue lies outside of the guest's memory");
        _nextAvailable = state.U16();
        _nextUsed = state.U16();
        _signalledUsed = state.U16();
        _hasSignalled = state.Flag();
    }

    private ref ushort AvailableEvent => ref _used[2 + SplitRing.UsedElementBytes / 2 * Size];

    private bool TryWalk(ushort head, DescriptorChain chain)
    {
        chain.Start(head);
        SplitRing.Descriptor* table = _table;
        int tableSize = Size;
        int index = head;
        bool isIndirect = false;
        // Each turn visits a descriptor, and a chain has at most as many as the queue (2.7.5): loops end here.
        for (int visited = 0; visited <= Size; visited++)
        {
            if (index >= tableSize)
                return false;
            SplitRing.Descriptor descriptor = Read(table + index);
            if ((descriptor.Flags & SplitRing.VIRTQ_DESC_F_INDIRECT) != 0)
            {
                // Neither within a table nor with a follower (2.7.5.3.1).
                if (isIndirect || (descriptor.Flags & SplitRing.VIRTQ_DESC_F_NEXT) != 0
                    || descriptor.Length == 0 || descriptor.Length % SplitRing.DescriptorBytes != 0
                    || !_memory.TryTranslate(descriptor.Address, descriptor.Length, out byte* indirect))
                    return false;
                isIndirect = true;
                table = (SplitRing.Descriptor*)indirect;
                tableSize = (int)Math.Min(descriptor.Length / SplitRing.DescriptorBytes, ushort.MaxValue + 1);
                index = 0;
                continue;
            }

            if (!_memory.TryTranslate(descriptor.Address, descriptor.Length, out byte* start)
                || !chain.TryAdd(start, descriptor.Length, (descriptor.Flags & SplitRing.VIRTQ_DESC_F_WRITE) != 0))
                return false;
            if ((descriptor.Flags & SplitRing.VIRTQ_DESC_F_NEXT) == 0)
                return true;
            index = descriptor.Next;
        }

        return false;
    }

    // Two reads of 8 bytes that the compiler may not repeat: what was checked is what is used.
    private static SplitRing.Descriptor Read(SplitRing.Descriptor* source)
    {
        ulong address = Volatile.Read(ref ((ulong*)source)[0]);
        ulong rest = Volatile.Read(ref ((ulong*)source)[1]);
        return new SplitRing.Descriptor { Address = address, Length = (uint)rest, Flags = (ushort)(rest >> 32), Next = (ushort)(rest >> 48) };
    }
}
