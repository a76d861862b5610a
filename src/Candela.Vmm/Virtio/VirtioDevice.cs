using Candela.Vmm.Memory;
using Candela.Vmm.State;
using Candela.Vmm.Virtio.Queue;

namespace Candela.Vmm.Virtio;

/// <summary>
/// A virtio device without its transport. Registers are accessed by vCPU threads and queues are worked on by the device thread, both under
/// the lock of this object.
/// </summary>
internal abstract class VirtioDevice
{
    /// <summary>Requests taken in one go.</summary>
    private const int Budget = 512;

    private readonly Virtqueue[] _queues;
    private int _budget = Budget;

    /// <summary>A device in the state after power-on.</summary>
    protected VirtioDevice(GuestMemory memory, params ReadOnlySpan<ushort> queueSizes)
    {
        _queues = new Virtqueue[queueSizes.Length];
        for (int i = 0; i < queueSizes.Length; i++)
            _queues[i] = new Virtqueue(memory, queueSizes[i]);
    }

    /// <summary>Device type (virtio 1.2, chapter 5).</summary>
    public abstract uint DeviceId { get; }

    /// <summary>Features of the type that the device offers; those of every device are added by <see cref="OfferedFeatures"/>.</summary>
    protected abstract ulong TypeFeatures { get; }

    /// <summary>All features on offer.</summary>
    public ulong OfferedFeatures => TypeFeatures | VirtioFeatures.VIRTIO_F_VERSION_1 | VirtioFeatures.VIRTIO_F_EVENT_IDX | VirtioFeatures.VIRTIO_F_INDIRECT_DESC;

    /// <summary>Features that the driver has accepted.</summary>
    public ulong Features { get; internal set; }

    /// <summary>Its queues.</summary>
    public ReadOnlySpan<Virtqueue> Queues => _queues;

    /// <summary>Tells the driver of used buffers or a changed configuration; set by the transport.</summary>
    public IVirtioTransport Transport { get; internal set; } = IVirtioTransport.Absent;

    /// <summary>Whether the driver has set the device going and nothing has gone wrong since.</summary>
    public bool IsActive { get; private set; }

    /// <summary>
    /// The driver notified a queue: works on what is available, but not for ever, so that a driver that adds without end holds up no other
    /// device. True: there is more, call again.
    /// </summary>
    public bool RunQueue(int index)
    {
        if (!IsActive)
            return false;
        _budget = Budget;
        ProcessQueue(index);
        return _budget == 0 && IsActive;
    }

    /// <summary>Takes what is available on a queue until <see cref="TryPop"/> has nothing more.</summary>
    protected abstract void ProcessQueue(int index);

    /// <summary>Reads configuration space; what lies beyond it is zero.</summary>
    public virtual void ReadConfiguration(uint offset, Span<byte> target) => target.Clear();

    /// <summary>Writes configuration space; what cannot be written is ignored.</summary>
    public virtual void WriteConfiguration(uint offset, ReadOnlySpan<byte> source)
    {
    }

    internal void Activate()
    {
        IsActive = true;
        OnActivated();
    }

    internal void Reset()
    {
        IsActive = false;
        Features = 0;
        foreach (Virtqueue queue in _queues)
            queue.Reset();
        OnReset();
    }

    /// <summary>Saves features, queues and what is the device's own.</summary>
    public void Save(StateWriter state)
    {
        state.U32(DeviceId);
        state.U64(Features);
        state.Flag(IsActive);
        foreach (Virtqueue queue in _queues)
            queue.Save(state);
        SaveOwn(state);
    }

    /// <summary>Goes on as the saved device.</summary>
    /// <exception cref="StateException">The state is of another device or damaged.</exception>
    public void Load(ref StateReader state)
    {
        if (state.U32() != DeviceId)
            throw new StateException("it is of a VM with other devices");
        Features = state.U64();
        if ((Features & ~OfferedFeatures) != 0)
            throw new StateException("a device has features that this one does not offer");
        IsActive = state.Flag();
        foreach (Virtqueue queue in _queues)
            queue.Load(ref state);
        LoadOwn(ref state);
    }

    /// <summary>The driver has set the device going.</summary>
    protected virtual void OnActivated()
    {
    }

    /// <summary>The driver has reset the device.</summary>
    protected virtual void OnReset()
    {
    }

    /// <summary>Saves what is the device's own.</summary>
    protected virtual void SaveOwn(StateWriter state)
    {
    }

    /// <summary>Loads what <see cref="SaveOwn"/> saved.</summary>
    protected virtual void LoadOwn(ref StateReader state)
    {
    }

    /// <summary>Takes the next request of a queue; false when there is none or the driver broke the rules, which stops the device.</summary>
    protected bool TryPop(int queue, DescriptorChain chain)
    {
        if (!IsActive || _budget == 0)
            return false;
        PopResult result = _queues[queue].TryPop(chain);
        if (result == PopResult.Malformed)
            Fail();
        if (result != PopResult.Chain)
            return false;
        _budget--;
        return true;
    }

    /// <summary>Interrupts the driver if it wants to hear of what was returned.</summary>
    protected void SignalUsed(int queue)
    {
        if (_queues[queue].TakeInterrupt())
            Transport.NotifyUsed();
    }

    /// <summary>The driver broke the rules: nothing more is done until it resets the device (2.1.2).</summary>
    protected void Fail()
    {
        IsActive = false;
        Transport.NotifyNeedsReset();
    }
}
