using Candela.Vmm.Native;

namespace Candela.Vmm.Kvm;

/// <summary>/dev/kvm.</summary>
internal static unsafe class KvmDevice
{
    /// <summary>Sees that it can do what is needed; the result is its descriptor.</summary>
    /// <param name="descriptor">It, open already; a negative one: it is opened by its path.</param>
    /// <exception cref="KvmException">It is absent, not accessible or too old.</exception>
    public static int Open(int descriptor)
    {
        int kvm = descriptor >= 0 ? descriptor : Libc.open("/dev/kvm", Linux.O_RDWR | Linux.O_CLOEXEC, 0);
        if (kvm < 0)
            throw new KvmException($"/dev/kvm cannot be opened (errno {Errno.Last}): this host needs hardware virtualization and the module kvm_intel or kvm_amd");
        int version = Libc.ioctl(kvm, KvmBits.KVM_GET_API_VERSION, 0);
        if (version != KvmBits.KVM_API_VERSION)
            throw new KvmException($"KVM's interface has version {version}, not {KvmBits.KVM_API_VERSION}");
        if (!Has(kvm, (int)KvmBits.KVM_CAP_SPLIT_IRQCHIP) || !Has(kvm, KvmBits.KVM_CAP_IMMEDIATE_EXIT))
            throw new KvmException("KVM lacks a split interrupt controller or immediate exits: Linux 4.12 or later is needed");
        return kvm;
    }

    /// <summary>Whether it has an extension.</summary>
    public static bool Has(int kvm, int capability) => Libc.ioctl(kvm, KvmBits.KVM_CHECK_EXTENSION, capability) > 0;

    /// <summary>Calls ioctl with a structure.</summary>
    /// <exception cref="KvmException">It failed.</exception>
    public static int Call(int fd, ulong request, void* argument, string what) => Call(fd, request, (nint)argument, what);

    /// <summary>Calls ioctl with a number.</summary>
    /// <exception cref="KvmException">It failed.</exception>
    public static int Call(int fd, ulong request, nint argument, string what)
    {
        int result = Libc.ioctl(fd, request, argument);
        return result >= 0 ? result : throw new KvmException($"{what} failed: errno {Errno.Last}");
    }
}
