namespace Candela.Vmm.Virtio;

/// <summary>What a device asks of its transport.</summary>
internal interface IVirtioTransport
{
    /// <summary>A device that was not put behind a transport yet.</summary>
    static readonly IVirtioTransport Absent = new None();

    /// <summary>Used buffer notification (virtio 1.2, 2.3).</summary>
    void NotifyUsed();

    /// <summary>Configuration change notification (2.3).</summary>
    void NotifyConfiguration();

    /// <summary>Sets DEVICE_NEEDS_RESET and notifies (2.1.2).</summary>
    void NotifyNeedsReset();

    private sealed class None : IVirtioTransport
    {
        public void NotifyUsed()
        {
        }

        public void NotifyConfiguration()
        {
        }

        public void NotifyNeedsReset()
        {
        }
    }
}
