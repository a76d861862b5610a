using System.Runtime.InteropServices;

namespace Candela.Guest.Native;

/// <summary>struct iovec.</summary>
internal unsafe struct IoVector
{
    public byte* Base;
    public nuint Length;
}

/// <summary>struct timespec.</summary>
internal struct TimeSpec
{
    public long Seconds;
    public long Nanoseconds;
}

/// <summary>struct epoll_event (packed on x86-64).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct EpollEvent
{
    public uint Events;
    public ulong Data;
}

/// <summary>struct winsize.</summary>
internal struct WinSize
{
    public ushort Rows;
    public ushort Columns;
    public ushort PixelsX;
    public ushort PixelsY;
}

/// <summary>struct open_how of openat2.</summary>
internal struct OpenHow
{
    public ulong Flags;
    public ulong Mode;
    public ulong Resolve;
}

/// <summary>struct rlimit64.</summary>
internal struct RLimit
{
    public ulong Soft;
    public ulong Hard;
}
