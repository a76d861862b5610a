using System.Buffers.Binary;
using Candela.Vmm.Memory;
using Candela.Vmm.State;
using Candela.Vmm.Virtio.Queue;

namespace Candela.Vmm.Virtio.Net;

/// <summary>
/// A network card (virtio 1.2, section 5.1) with one pair of queues, checksum and segmentation offloads, and buffers that are merged for
/// large frames. A card without a back end has its link down and drops what is sent.
/// </summary>
internal sealed class NetDevice : VirtioDevice
{
    private const ushort QueueSize = 256;

    private readonly DescriptorChain _chain = new(QueueSize);
    private readonly byte[] _frame = GC.AllocateUninitializedArray<byte>(NetBits.FrameBytesMaximum, pinned: true);
    private readonly byte[] _mac = new byte[NetBits.MacBytes];
    private int _frameBytes;
    private INetBackend? _backend;

    /// <summary>A card with this address of six bytes.</summary>
    public NetDevice(GuestMemory memory, ReadOnlySpan<byte> mac)
        : base(memory, QueueSize, QueueSize) => mac.CopyTo(_mac);

    /// <inheritdoc/>
    public override uint DeviceId => NetBits.VIRTIO_ID_NET;

    /// <inheritdoc/>
    protected override ulong TypeFeatures =>
        NetBits.VIRTIO_NET_F_MAC | NetBits.VIRTIO_NET_F_STATUS | NetBits.VIRTIO_NET_F_MRG_RXBUF
        | NetBits.VIRTIO_NET_F_CSUM | NetBits.VIRTIO_NET_F_HOST_TSO4 | NetBits.VIRTIO_NET_F_HOST_TSO6
        | NetBits.VIRTIO_NET_F_GUEST_CSUM | NetBits.VIRTIO_NET_F_GUEST_TSO4 | NetBits.VIRTIO_NET_F_GUEST_TSO6;

    /// <summary>Plugs the cable in, or out (null). Under the device's lock.</summary>
    public void Connect(INetBackend? backend)
    {
        _backend = backend;
        _frameBytes = 0;
        SetOffloads();
        Transport.NotifyConfiguration();
    }

    /// <summary>Frames may have come: gives them to the guest. Under the device's lock.</summary>
    public void Pump()
    {
        while (RunQueue(NetBits.ReceiveQueue))
        {
        }
    }

    /// <inheritdoc/>
    public override void ReadConfiguration(uint offset, Span<byte> target)
    {
        Span<byte> configuration = stackalloc byte[NetBits.ConfigurationBytes];
        _mac.CopyTo(configuration);
        BinaryPrimitives.WriteUInt16LittleEndian(configuration[NetBits.StatusAt..], _backend is null ? (ushort)0 : NetBits.VIRTIO_NET_S_LINK_UP);
        target.Clear();
        if (offset < NetBits.ConfigurationBytes)
            configuration.Slice((int)offset, Math.Min(target.Length, NetBits.ConfigurationBytes - (int)offset)).CopyTo(target);
    }

    /// <inheritdoc/>
    protected override void ProcessQueue(int index)
    {
        if (index == NetBits.ReceiveQueue)
            Receive();
        else
            Transmit();
    }

    /// <inheritdoc/>
    protected override void OnActivated() => SetOffloads();

    /// <inheritdoc/>
    protected override void OnReset() => _frameBytes = 0;

    /// <inheritdoc/>
    protected override void LoadOwn(ref StateReader state) => _frameBytes = 0;

    private void SetOffloads() => _backend?.SetOffloads(
        (Features & NetBits.VIRTIO_NET_F_GUEST_CSUM) != 0, (Features & NetBits.VIRTIO_NET_F_GUEST_TSO4) != 0, (Features & NetBits.VIRTIO_NET_F_GUEST_TSO6) != 0);

    private void Transmit()
    {
        while (TryPop(NetBits.TransmitQueue, _chain))
        {
            // The device does not look at headers or frames: the kernel checks both (5.1.6.2).
            if (_chain.ReadableBytes is > NetBits.HeaderBytes and <= NetBits.FrameBytesMaximum)
                _backend?.Send(_chain.Readable);
            Queues[NetBits.TransmitQueue].Push(_chain.Head, 0);
        }

        SignalUsed(NetBits.TransmitQueue);
    }

    private void Receive()
    {
        while (IsActive && _backend is not null)
        {
            if (_frameBytes == 0)
                _frameBytes = _backend.Receive(_frame);
            if (_frameBytes == 0 || !TryDeliver())
                break;
            _frameBytes = 0;
        }

        SignalUsed(NetBits.ReceiveQueue);
    }

    // False: there are not enough buffers now; the frame waits. True: it was delivered, or dropped since no buffers can ever hold it.
    private bool TryDeliver()
    {
        Virtqueue queue = Queues[NetBits.ReceiveQueue];
        if (!TryPop(NetBits.ReceiveQueue, _chain))
            return false;
        if (_chain.WritableBytes >= (uint)_frameBytes)
        {
            SetBufferCount(1);
            queue.Push(_chain.Head, (uint)_chain.CopyTo(0, _frame.AsSpan(0, _frameBytes)));
            return true;
        }

        queue.UndoPop();
        return (Features & NetBits.VIRTIO_NET_F_MRG_RXBUF) == 0 || TryDeliverMerged(queue);
    }

    private bool TryDeliverMerged(Virtqueue queue)
    {
        // How many buffers it takes is written before the frame (num_buffers): count first, then take them again.
        ulong room = 0;
        int count = 0;
        for (; room < (ulong)_frameBytes && count < QueueSize && TryPop(NetBits.ReceiveQueue, _chain); count++)
            room += _chain.WritableBytes;
        for (int i = 0; i < count; i++)
            queue.UndoPop();
        if (room < (ulong)_frameBytes)
            return count == QueueSize;
        SetBufferCount(count);
        int done = 0;
        for (int i = 0; i < count && TryPop(NetBits.ReceiveQueue, _chain); i++)
        {
            int part = _chain.CopyTo(0, _frame.AsSpan(done, _frameBytes - done));
            queue.Stage(_chain.Head, (uint)part);
            done += part;
        }

        // All buffers of a frame appear at once (5.1.6.4.1).
        queue.Publish();
        return true;
    }

    private void SetBufferCount(int count) => BinaryPrimitives.WriteUInt16LittleEndian(_frame.AsSpan(NetBits.NumBuffersAt), (ushort)count);
}
