using System.Buffers.Binary;
using Candela.Vmm.Acpi;
using Candela.Vmm.Memory;
using Candela.Vmm.Native;

namespace Candela.Vmm.Kvm;

/// <summary>
/// A VM of KVM with its memory in place. The local APICs are KVM's, the I/O APIC is <see cref="IoApic"/>: with this split, making and ending
/// a VM costs a fraction of what it costs with all interrupt controllers in the kernel.
/// </summary>
internal sealed unsafe class VirtualMachine : IInterruptRouter
{
    // Three pages for real mode and an identity-mapped page table that Intel's KVM wants (api.rst, 4.35 and 4.36), above the I/O APIC.
    private const ulong IdentityMapAddress = 0xfeff_c000;
    private const uint TssAddress = 0xfeff_d000;

    private readonly int _kvm;

    /// <summary>Makes it.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public VirtualMachine(int kvm, GuestMemory memory)
    {
        _kvm = kvm;
        Descriptor = KvmDevice.Call(kvm, KvmBits.KVM_CREATE_VM, 0, "KVM_CREATE_VM");
        ulong identity = IdentityMapAddress;
        KvmDevice.Call(Descriptor, KvmBits.KVM_SET_IDENTITY_MAP_ADDR, &identity, "KVM_SET_IDENTITY_MAP_ADDR");
        KvmDevice.Call(Descriptor, KvmBits.KVM_SET_TSS_ADDR, unchecked((nint)TssAddress), "KVM_SET_TSS_ADDR");
        Span<byte> split = stackalloc byte[104]; // struct kvm_enable_cap
        split.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(split, KvmBits.KVM_CAP_SPLIT_IRQCHIP);
        BinaryPrimitives.WriteUInt64LittleEndian(split[8..], Platform.IoApicPins);
        fixed (byte* argument = split)
            KvmDevice.Call(Descriptor, KvmBits.KVM_ENABLE_CAP, argument, "KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP)");
        SetSlot(0, 0, memory.LowBytes, memory.Host);
        if (memory.HighBytes != 0)
            SetSlot(1, GuestMemory.HighStart, memory.HighBytes, memory.Host + memory.LowBytes);
    }

    /// <summary>Its descriptor.</summary>
    public int Descriptor { get; }

    /// <summary>Makes a vCPU.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public VCpu CreateVCpu(int index, int count)
    {
        int descriptor = KvmDevice.Call(Descriptor, KvmBits.KVM_CREATE_VCPU, index, "KVM_CREATE_VCPU");
        int mappingBytes = KvmDevice.Call(_kvm, KvmBits.KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE");
        return new VCpu(descriptor, mappingBytes, index, CpuidTemplate.For(_kvm, index, count));
    }

    /// <summary>Lets an event descriptor raise an interrupt.</summary>
    public void ConnectInterrupt(EventFd line, int gsi)
    {
        uint* argument = stackalloc uint[8]; // struct kvm_irqfd: fd, gsi, flags, resamplefd, pad
        new Span<uint>(argument, 8).Clear();
        argument[0] = (uint)line.Descriptor;
        argument[1] = (uint)gsi;
        KvmDevice.Call(Descriptor, KvmBits.KVM_IRQFD, argument, "KVM_IRQFD");
    }

    /// <summary>Lets a 32-bit write of a value to an address wake an event descriptor instead of leaving the guest.</summary>
    public void ConnectNotification(EventFd doorbell, ulong address, uint value)
    {
        ulong* argument = stackalloc ulong[8]; // struct kvm_ioeventfd: datamatch, addr, len, fd, flags, pad
        new Span<ulong>(argument, 8).Clear();
        argument[0] = value;
        argument[1] = address;
        argument[2] = 4 | (ulong)doorbell.Descriptor << 32;
        argument[3] = KvmBits.KVM_IOEVENTFD_FLAG_DATAMATCH;
        KvmDevice.Call(Descriptor, KvmBits.KVM_IOEVENTFD, argument, "KVM_IOEVENTFD");
    }

    /// <inheritdoc/>
    public void SetRoutes(ReadOnlySpan<InterruptRoute> routes)
    {
        // struct kvm_irq_routing, and its entries: gsi, type, flags, pad, address_lo, address_hi, data, devid, padding.
        uint* argument = stackalloc uint[2 + Platform.IoApicPins * KvmBits.RoutingEntryBytes / 4];
        new Span<uint>(argument, 2 + Platform.IoApicPins * KvmBits.RoutingEntryBytes / 4).Clear();
        argument[0] = (uint)routes.Length;
        uint* entry = argument + 2;
        foreach (InterruptRoute route in routes)
        {
            entry[0] = (uint)route.Gsi;
            entry[1] = KvmBits.KVM_IRQ_ROUTING_MSI;
            entry[4] = route.Address;
            entry[6] = route.Data;
            entry += KvmBits.RoutingEntryBytes / 4;
        }

        KvmDevice.Call(Descriptor, KvmBits.KVM_SET_GSI_ROUTING, argument, "KVM_SET_GSI_ROUTING");
    }

    /// <summary>Reads the guest's paravirtual clock (struct kvm_clock_data), nanoseconds.</summary>
    public ulong GetClock()
    {
        ulong* data = stackalloc ulong[KvmBits.ClockBytes / 8];
        KvmDevice.Call(Descriptor, KvmBits.KVM_GET_CLOCK, data, "KVM_GET_CLOCK");
        return data[0];
    }

    /// <summary>Sets the guest's paravirtual clock, nanoseconds.</summary>
    public void SetClock(ulong nanoseconds)
    {
        ulong* data = stackalloc ulong[KvmBits.ClockBytes / 8];
        new Span<ulong>(data, KvmBits.ClockBytes / 8).Clear();
        data[0] = nanoseconds;
        KvmDevice.Call(Descriptor, KvmBits.KVM_SET_CLOCK, data, "KVM_SET_CLOCK");
    }

    private void SetSlot(uint slot, ulong address, ulong lengthBytes, byte* host)
    {
        ulong* argument = stackalloc ulong[4]; // struct kvm_userspace_memory_region: slot, flags, address, size, host address
        argument[0] = slot;
        argument[1] = address;
        argument[2] = lengthBytes;
        argument[3] = (ulong)host;
        KvmDevice.Call(Descriptor, KvmBits.KVM_SET_USER_MEMORY_REGION, argument, "KVM_SET_USER_MEMORY_REGION");
    }
}
