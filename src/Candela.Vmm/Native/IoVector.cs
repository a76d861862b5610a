using System.Runtime.InteropServices;

namespace Candela.Vmm.Native;

/// <summary>struct iovec (readv(2)): a piece of host memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    /// <summary>Where it starts.</summary>
    public byte* Start;

    /// <summary>Its length in bytes.</summary>
    public nuint Length;
}
