using Candela.Vmm.Memory;
using Candela.Vmm.Virtio.Queue;

namespace Candela.Vmm.Virtio.Entropy;

/// <summary>Random bytes for the guest (virtio 1.2, section 5.4): up to 256 a request, as the driver is free to ask again.</summary>
internal sealed class EntropyDevice(GuestMemory memory, IEntropySource source) : VirtioDevice(memory, QueueSize)
{
    private const uint VIRTIO_ID_RNG = 4; // 5.4.1
    private const ushort QueueSize = 16;
    private const int RequestBytes = 256;

    private readonly DescriptorChain _chain = new(QueueSize);

    /// <inheritdoc/>
    public override uint DeviceId => VIRTIO_ID_RNG;

    /// <inheritdoc/>
    protected override ulong TypeFeatures => 0;

    /// <inheritdoc/>
    protected override void ProcessQueue(int index)
    {
        Span<byte> bytes = stackalloc byte[RequestBytes];
        while (TryPop(0, _chain))
        {
            Span<byte> part = bytes[..(int)Math.Min(RequestBytes, _chain.WritableBytes)];
            source.Fill(part);
            Queues[0].Push(_chain.Head, (uint)_chain.CopyTo(0, part));
        }

        bytes.Clear();
        SignalUsed(0);
    }
}
