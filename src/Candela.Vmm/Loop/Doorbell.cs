using Candela.Vmm.Native;
using Candela.Vmm.Virtio;

namespace Candela.Vmm.Loop;

/// <summary>A queue's notification, which KVM turns into an event (KVM_IOEVENTFD).</summary>
internal sealed class Doorbell(VirtioDevice device, int queue) : IEventSource
{
    /// <summary>What KVM raises.</summary>
    public EventFd Bell { get; } = new();

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        Bell.Clear();
        lock (device)
        {
            if (device.RunQueue(queue))
                Bell.Raise();
        }
    }
}
