using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Candela.Vmm.Virtio;
using Candela.Vmm.Virtio.Mmio;
using Candela.Vmm.Virtio.Queue;

namespace Candela.Vmm.Tests.Support;

/// <summary>What a guest's driver does: initializes a device by its registers (virtio 1.2, 3.1.1 and 4.2.3) and sends requests through its rings.</summary>
internal sealed class GuestDriver
{
    private const ulong RingStart = 0x1000;
    private const ulong RingStride = 0x8000;
    private const ulong BufferStart = 0x8_0000;

    private readonly TestMemory _memory;
    private readonly ushort[] _nextAvailable;
    private readonly ushort[] _nextUsed;
    private readonly ushort[] _nextDescriptor;
    private ulong _nextBuffer = BufferStart;

    public GuestDriver(TestMemory memory, VirtioDevice device, ulong unwanted = 0, ushort queueSize = 16)
    {
        _memory = memory;
        QueueSize = queueSize;
        Line = new CountingLine();
        Transport = new MmioTransport(device, Line);
        int queues = device.Queues.Length;
        _nextAvailable = new ushort[queues];
        _nextUsed = new ushort[queues];
        _nextDescriptor = new ushort[queues];
        Initialize(unwanted);
    }

    public CountingLine Line { get; }

    public MmioTransport Transport { get; }

    public ushort QueueSize { get; }

    public uint Read(uint register)
    {
        Span<byte> value = stackalloc byte[4];
        Transport.Read(register, value);
        return BinaryPrimitives.ReadUInt32LittleEndian(value);
    }

    public void Write(uint register, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Transport.Write(register, bytes);
    }

    public void Initialize(ulong unwanted)
    {
        Write(MmioRegister.Status, 0);
        Write(MmioRegister.Status, 1);
        Write(MmioRegister.Status, 3);
        for (uint half = 0; half < 2; half++)
        {
            Write(MmioRegister.DeviceFeaturesSel, half);
            Write(MmioRegister.DriverFeaturesSel, half);
            Write(MmioRegister.DriverFeatures, Read(MmioRegister.DeviceFeatures) & ~(uint)(unwanted >> (int)(32 * half)));
        }

        Write(MmioRegister.Status, 11);
        Assert.Equal(11u, Read(MmioRegister.Status));
        for (uint queue = 0; queue < (uint)_nextAvailable.Length; queue++)
        {
            _nextAvailable[queue] = _nextUsed[queue] = _nextDescriptor[queue] = 0;
            Write(MmioRegister.QueueSel, queue);
            Write(MmioRegister.QueueNum, QueueSize);
            Write(MmioRegister.QueueDescLow, (uint)Table(queue));
            Write(MmioRegister.QueueDriverLow, (uint)Available(queue));
            Write(MmioRegister.QueueDeviceLow, (uint)Used(queue));
            Write(MmioRegister.QueueReady, 1);
            Assert.Equal(1u, Read(MmioRegister.QueueReady));
        }

        Write(MmioRegister.Status, 15);
    }

    /// <summary>Addresses of a queue's parts.</summary>
    public static ulong Table(uint queue) => RingStart + queue * RingStride;

    public static ulong Available(uint queue) => Table(queue) + 0x4000;

    public static ulong Used(uint queue) => Table(queue) + 0x6000;

    /// <summary>Guest memory for a buffer.</summary>
    public ulong Allocate(int lengthBytes)
    {
        ulong address = _nextBuffer;
        _nextBuffer += (ulong)(lengthBytes + 15 & ~15);
        return address;
    }

    public Span<byte> At(ulong address, int lengthBytes) => _memory.Memory.Span(address, lengthBytes);

    /// <summary>Puts a descriptor at an index of a queue's table.</summary>
    public void Describe(uint queue, int index, ulong address, uint lengthBytes, ushort flags, ushort next) => Describe(Table(queue), index, address, lengthBytes, flags, next);

    public void Describe(ulong table, int index, ulong address, uint lengthBytes, ushort flags, ushort next)
    {
        SplitRing.Descriptor descriptor = new() { Address = address, Length = lengthBytes, Flags = flags, Next = next };
        MemoryMarshal.Write(At(table + 16 * (ulong)index, 16), in descriptor);
    }

    /// <summary>Makes a chain of buffers and puts it in the available ring.</summary>
    public ushort Add(uint queue, params ReadOnlySpan<GuestBuffer> buffers)
    {
        ushort head = _nextDescriptor[queue];
        for (int i = 0; i < buffers.Length; i++)
        {
            ushort index = (ushort)((head + i) % QueueSize);
            bool isLast = i == buffers.Length - 1;
            ushort flags = (ushort)((buffers[i].Write ? SplitRing.VIRTQ_DESC_F_WRITE : 0) | (isLast ? 0 : SplitRing.VIRTQ_DESC_F_NEXT));
            Describe(queue, index, buffers[i].Address, (uint)buffers[i].Length, flags, (ushort)((index + 1) % QueueSize));
        }

        _nextDescriptor[queue] = (ushort)((head + buffers.Length) % QueueSize);
        Offer(queue, head);
        return head;
    }

    /// <summary>Puts a descriptor's index in the available ring.</summary>
    public void Offer(uint queue, ushort head)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(At(Available(queue) + 4 + 2 * (ulong)(_nextAvailable[queue] % QueueSize), 2), head);
        _nextAvailable[queue]++;
        BinaryPrimitives.WriteUInt16LittleEndian(At(Available(queue) + 2, 2), _nextAvailable[queue]);
    }

    public void Notify(uint queue) => Write(MmioRegister.QueueNotify, queue);

    /// <summary>Takes the next used element; null when there is none.</summary>
    public (uint Head, uint Length)? TakeUsed(uint queue)
    {
        if (BinaryPrimitives.ReadUInt16LittleEndian(At(Used(queue) + 2, 2)) == _nextUsed[queue])
            return null;
        Span<byte> element = At(Used(queue) + 4 + 8 * (ulong)(_nextUsed[queue] % QueueSize), 8);
        _nextUsed[queue]++;
        // used_event: tell me of the next (2.7.7.1).
        BinaryPrimitives.WriteUInt16LittleEndian(At(Available(queue) + 4 + 2 * (ulong)QueueSize, 2), _nextUsed[queue]);
        return (BinaryPrimitives.ReadUInt32LittleEndian(element), BinaryPrimitives.ReadUInt32LittleEndian(element[4..]));
    }

    /// <summary>Sends bytes and gives room for an answer; the result is what the device wrote.</summary>
    public byte[] Exchange(uint queue, ReadOnlySpan<byte> request, int answerBytes)
    {
        _nextBuffer = BufferStart;
        ulong output = Allocate(request.Length), input = Allocate(answerBytes);
        request.CopyTo(At(output, request.Length));
        if (request.Length != 0 && answerBytes != 0)
            Add(queue, new GuestBuffer(output, request.Length, false), new GuestBuffer(input, answerBytes, true));
        else if (request.Length != 0)
            Add(queue, new GuestBuffer(output, request.Length, false));
        else
            Add(queue, new GuestBuffer(input, answerBytes, true));
        Notify(queue);
        Assert.NotNull(TakeUsed(queue));
        return At(input, answerBytes).ToArray();
    }
}
