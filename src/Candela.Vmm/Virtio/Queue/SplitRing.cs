using System.Runtime.InteropServices;

namespace Candela.Vmm.Virtio.Queue;

/// <summary>Layout and flags of split virtqueues (virtio 1.2, section 2.7).</summary>
internal static class SplitRing
{
    /// <summary>Descriptor flag: another follows in <see cref="Descriptor.Next"/> (2.7.5).</summary>
    public const ushort VIRTQ_DESC_F_NEXT = 1;

    /// <summary>Descriptor flag: for the device to write; without it, to read (2.7.5).</summary>
    public const ushort VIRTQ_DESC_F_WRITE = 2;

    /// <summary>Descriptor flag: the buffer is a table of descriptors (2.7.5.3).</summary>
    public const ushort VIRTQ_DESC_F_INDIRECT = 4;

    /// <summary>Flag of the available ring: the driver wants no interrupt (2.7.6).</summary>
    public const ushort VIRTQ_AVAIL_F_NO_INTERRUPT = 1;

    /// <summary>Alignments that the driver keeps, bytes (2.7, table).</summary>
    public const int DescriptorTableAlignment = 16, AvailableAlignment = 2, UsedAlignment = 4;

    /// <summary>Bytes of one descriptor (2.7.5).</summary>
    public const int DescriptorBytes = 16;

    /// <summary>Bytes of one element of the used ring (2.7.8).</summary>
    public const int UsedElementBytes = 8;

    /// <summary>Largest queue (2.7).</summary>
    public const int QueueSizeMaximum = 32768;

    /// <summary>Bytes of the available ring: flags, idx, ring and used_event (2.7.6).</summary>
    public static ulong AvailableBytes(int queueSize) => 6 + 2UL * (uint)queueSize;

    /// <summary>Bytes of the used ring: flags, idx, ring and avail_event (2.7.8).</summary>
    public static ulong UsedBytes(int queueSize) => 6 + (ulong)UsedElementBytes * (uint)queueSize;

    /// <summary>struct virtq_desc (2.7.5), little endian.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Descriptor
    {
        /// <summary>Guest physical address of the buffer.</summary>
        public ulong Address;

        /// <summary>Its length in bytes.</summary>
        public uint Length;

        /// <summary>VIRTQ_DESC_F_ flags.</summary>
        public ushort Flags;

        /// <summary>Index of the next descriptor of the chain.</summary>
        public ushort Next;
    }
}
