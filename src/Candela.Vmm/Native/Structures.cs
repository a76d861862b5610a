using System.Runtime.InteropServices;

namespace Candela.Vmm.Native;

/// <summary>struct epoll_event (epoll_ctl(2)), packed on x86-64.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct EpollEvent
{
    public uint Events;
    public ulong Data;
}

/// <summary>struct msghdr (recvmsg(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    public void* Name;
    public uint NameLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public byte* Control;
    public nuint ControlLength;
    public int Flags;
}

/// <summary>struct sigaction of glibc (sigaction(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SignalAction
{
    public void* Handler;
    public fixed ulong Mask[16];
    public int Flags;
    public nint Restorer;
}
