namespace Candela.Guest.Loop;

/// <summary>Something that waits for a file descriptor.</summary>
internal interface IEventSource
{
    /// <summary>The descriptor is ready; <paramref name="events"/> are epoll's.</summary>
    void OnReady(uint events);
}
