namespace Candela.Vmm.Loop;

/// <summary>A descriptor that the device thread waits for.</summary>
internal interface IEventSource
{
    /// <summary>The descriptor is ready (EPOLL… bits).</summary>
    void OnReady(uint events);
}
