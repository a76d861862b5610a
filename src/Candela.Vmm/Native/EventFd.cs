namespace Candela.Vmm.Native;

/// <summary>A counter that wakes who waits for it (eventfd(2)); lives as long as the process.</summary>
internal sealed unsafe class EventFd : IInterruptLine
{
    /// <summary>A new one, not blocking.</summary>
    public EventFd() => Descriptor = Errno.Check(Libc.eventfd(0, Linux.EFD_NONBLOCK | Linux.EFD_CLOEXEC), "eventfd");

    /// <summary>Its descriptor.</summary>
    public int Descriptor { get; }

    /// <summary>Adds one. When the counter is full, whoever waits is awake already.</summary>
    public void Raise()
    {
        ulong one = 1;
        _ = Libc.write(Descriptor, &one, sizeof(ulong));
    }

    /// <summary>Sets the counter to zero.</summary>
    public void Clear()
    {
        ulong count;
        _ = Libc.read(Descriptor, &count, sizeof(ulong));
    }
}
