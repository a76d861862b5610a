namespace Candela.Vmm.Kvm;

/// <summary>KVM's interface (Linux, include/uapi/linux/kvm.h; Documentation/virt/kvm/api.rst), in its names.</summary>
internal static class KvmBits
{
    public const int KVM_API_VERSION = 12;

    // System.
    public const ulong KVM_GET_API_VERSION = 0xae00;
    public const ulong KVM_CREATE_VM = 0xae01;
    public const ulong KVM_GET_MSR_INDEX_LIST = 0xc004ae02;
    public const ulong KVM_CHECK_EXTENSION = 0xae03;
    public const ulong KVM_GET_VCPU_MMAP_SIZE = 0xae04;
    public const ulong KVM_GET_SUPPORTED_CPUID = 0xc008ae05;

    // VM.
    public const ulong KVM_CREATE_VCPU = 0xae41;
    public const ulong KVM_SET_USER_MEMORY_REGION = 0x4020ae46;
    public const ulong KVM_SET_TSS_ADDR = 0xae47;
    public const ulong KVM_SET_IDENTITY_MAP_ADDR = 0x4008ae48;
    public const ulong KVM_SET_GSI_ROUTING = 0x4008ae6a;
    public const ulong KVM_IRQFD = 0x4020ae76;
    public const ulong KVM_IOEVENTFD = 0x4040ae79;
    public const ulong KVM_SET_CLOCK = 0x4030ae7b;
    public const ulong KVM_GET_CLOCK = 0x8030ae7c;
    public const ulong KVM_ENABLE_CAP = 0x4068aea3;

    // vCPU.
    public const ulong KVM_RUN = 0xae80;
    public const ulong KVM_GET_REGS = 0x8090ae81;
    public const ulong KVM_SET_REGS = 0x4090ae82;
    public const ulong KVM_GET_SREGS = 0x8138ae83;
    public const ulong KVM_SET_SREGS = 0x4138ae84;
    public const ulong KVM_GET_MSRS = 0xc008ae88;
    public const ulong KVM_SET_MSRS = 0x4008ae89;
    public const ulong KVM_GET_LAPIC = 0x8400ae8e;
    public const ulong KVM_SET_LAPIC = 0x4400ae8f;
    public const ulong KVM_SET_CPUID2 = 0x4008ae90;
    public const ulong KVM_GET_MP_STATE = 0x8004ae98;
    public const ulong KVM_SET_MP_STATE = 0x4004ae99;
    public const ulong KVM_GET_VCPU_EVENTS = 0x8040ae9f;
    public const ulong KVM_SET_VCPU_EVENTS = 0x4040aea0;
    public const ulong KVM_GET_DEBUGREGS = 0x8080aea1;
    public const ulong KVM_SET_DEBUGREGS = 0x4080aea2;
    public const ulong KVM_SET_TSC_KHZ = 0xaea2;
    public const ulong KVM_GET_TSC_KHZ = 0xaea3;
    public const ulong KVM_GET_XSAVE = 0x9000aea4;
    public const ulong KVM_SET_XSAVE = 0x5000aea5;
    public const ulong KVM_GET_XCRS = 0x8188aea6;
    public const ulong KVM_SET_XCRS = 0x4188aea7;
    public const ulong KVM_KVMCLOCK_CTRL = 0xaead;

    // Capabilities.
    public const int KVM_CAP_TSC_DEADLINE_TIMER = 72;
    public const uint KVM_CAP_SPLIT_IRQCHIP = 121;
    public const int KVM_CAP_IMMEDIATE_EXIT = 136;

    // Exits.
    public const uint KVM_EXIT_IO = 2;
    public const uint KVM_EXIT_MMIO = 6;
    public const uint KVM_EXIT_SHUTDOWN = 8;
    public const uint KVM_EXIT_FAIL_ENTRY = 9;
    public const uint KVM_EXIT_INTR = 10;
    public const uint KVM_EXIT_INTERNAL_ERROR = 17;
    public const uint KVM_EXIT_SYSTEM_EVENT = 24;
    public const uint KVM_EXIT_IOAPIC_EOI = 26;
    public const byte KVM_EXIT_IO_OUT = 1;

    // struct kvm_run, offsets.
    public const int ImmediateExitAt = 1;
    public const int ExitReasonAt = 8;
    public const int ExitAt = 32;
    public const int IoDirectionAt = 32, IoSizeAt = 33, IoPortAt = 34, IoCountAt = 36, IoDataOffsetAt = 40;
    public const int MmioAddressAt = 32, MmioDataAt = 40, MmioLengthAt = 48, MmioIsWriteAt = 52;

    // Routing and event flags.
    public const uint KVM_IRQ_ROUTING_MSI = 2;
    public const uint KVM_IOEVENTFD_FLAG_DATAMATCH = 1;

    // Sizes of structures that are kept as bytes.
    public const int RegsBytes = 144, SregsBytes = 312, LapicBytes = 1024, VcpuEventsBytes = 64, DebugregsBytes = 128, XsaveBytes = 4096, XcrsBytes = 392;
    public const int MpStateBytes = 4, ClockBytes = 48, CpuidEntryBytes = 40, MsrEntryBytes = 16, RoutingEntryBytes = 48;
}
