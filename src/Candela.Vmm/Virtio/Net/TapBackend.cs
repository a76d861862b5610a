using Candela.Vmm.Native;

namespace Candela.Vmm.Virtio.Net;

/// <summary>A tap device by its descriptor (Linux, Documentation/networking/tuntap.rst), opened with IFF_TAP, IFF_NO_PI and IFF_VNET_HDR.</summary>
internal sealed unsafe class TapBackend : INetBackend
{
    // include/uapi/linux/if_tun.h
    private const ulong TUNSETOFFLOAD = 0x400454d0;
    private const ulong TUNSETVNETHDRSZ = 0x400454d8;
    private const nint TUN_F_CSUM = 1, TUN_F_TSO4 = 2, TUN_F_TSO6 = 4;

    private readonly int _descriptor;

    /// <summary>Takes a descriptor over, makes it non-blocking and sets the header's size.</summary>
    /// <exception cref="NativeException">It is no tap device with IFF_VNET_HDR.</exception>
    public TapBackend(int descriptor)
    {
        _descriptor = descriptor;
        int flags = Errno.Check(Libc.fcntl(descriptor, Linux.F_GETFL, 0), "fcntl");
        Errno.Check(Libc.fcntl(descriptor, Linux.F_SETFL, flags | Linux.O_NONBLOCK), "fcntl");
        int size = NetBits.HeaderBytes;
        Errno.Check(Libc.ioctl(descriptor, TUNSETVNETHDRSZ, (nint)(&size)), "TUNSETVNETHDRSZ (is it a tap device with IFF_VNET_HDR?)");
    }

    /// <inheritdoc/>
    public int Receive(Span<byte> frame)
    {
        fixed (byte* start = frame)
            return (int)Math.Max(0, Libc.read(_descriptor, start, (nuint)frame.Length));
    }

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<IoVector> frame)
    {
        fixed (IoVector* vectors = frame)
            _ = Libc.writev(_descriptor, vectors, frame.Length);
    }

    /// <inheritdoc/>
    public void SetOffloads(bool checksum, bool largeIpv4, bool largeIpv6)
    {
        // Segmentation needs checksums; a kernel that refuses sends finished frames, which every guest takes.
        nint offloads = checksum ? TUN_F_CSUM | (largeIpv4 ? TUN_F_TSO4 : 0) | (largeIpv6 ? TUN_F_TSO6 : 0) : 0;
        _ = Libc.ioctl(_descriptor, TUNSETOFFLOAD, offloads);
    }
}
