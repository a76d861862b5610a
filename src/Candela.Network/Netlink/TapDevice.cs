using System.Text;
using Candela.Network.Namespaces;
using Candela.Network.Native;
using Microsoft.Win32.SafeHandles;
using static Candela.Network.Native.Libc;

namespace Candela.Network.Netlink;

/// <summary>
/// A tap (Documentation/networking/tuntap.rst): a link whose other end is a descriptor, made to be handed to a VMM. The link ends
/// when the last copy of the descriptor is closed.
/// </summary>
public static unsafe class TapDevice
{
    private const ulong TUNSETIFF = 0x400454ca, TUNSETVNETHDRSZ = 0x400454d8;
    private const short IFF_TAP = 2, IFF_NO_PI = 0x1000, IFF_VNET_HDR = 0x4000;
    private const short IFF_TUN_EXCL = unchecked((short)0x8000);
    private const int NameBytes = 16, VirtioNetHeaderBytes = 12;

    /// <summary>Makes a tap with virtio-net headers, for one queue.</summary>
    /// <exception cref="IOException">The kernel refuses: no /dev/net/tun, no CAP_NET_ADMIN, or the name is taken.</exception>
    public static SafeFileHandle Create(NetworkNamespace space, string name)
    {
        if (Encoding.UTF8.GetByteCount(name) >= NameBytes)
            throw new ArgumentException($"'{name}' is longer than the {NameBytes - 1} characters of a link's name", nameof(name));
        SafeFileHandle handle = space.Run(() => Own(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK, 0),
            "opening /dev/net/tun (the kernel's tun module is needed: modprobe tun)"));
        try
        {
            byte* request = stackalloc byte[40]; // struct ifreq
            new Span<byte>(request, 40).Clear();
            Encoding.UTF8.GetBytes(name, new Span<byte>(request, NameBytes));
            *(short*)(request + NameBytes) = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL);
            Check(ioctl(handle.Number(), TUNSETIFF, request), $"making tap {name}");
            int headerBytes = VirtioNetHeaderBytes;
            Check(ioctl(handle.Number(), TUNSETVNETHDRSZ, &headerBytes), $"sizing the headers of tap {name}");
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}
