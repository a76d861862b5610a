using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Candela.Vmm.Boot;
using Candela.Vmm.Native;

namespace Candela.Vmm.Kvm;

/// <summary>A vCPU. All calls but <see cref="RequestExit"/> come from its own thread, or before that starts.</summary>
internal sealed unsafe class VCpu
{
    private readonly byte* _run;

    internal VCpu(int descriptor, int mappingBytes, int index, byte[] cpuid)
    {
        Descriptor = descriptor;
        Index = index;
        Cpuid = cpuid;
        void* mapping = Libc.mmap(null, (nuint)mappingBytes, Linux.PROT_READ | Linux.PROT_WRITE, Linux.MAP_SHARED, descriptor, 0);
        if (mapping == (void*)-1)
            throw new KvmException($"mapping a vCPU's run area failed: errno {Errno.Last}");
        _run = (byte*)mapping;
    }

    /// <summary>Its descriptor.</summary>
    public int Descriptor { get; }

    /// <summary>Its number and local APIC id, from 0 on.</summary>
    public int Index { get; }

    /// <summary>struct kvm_cpuid2 for it.</summary>
    public byte[] Cpuid { get; set; }

    /// <summary>Why KVM came back last (KVM_EXIT_…).</summary>
    public uint ExitReason => *(uint*)(_run + KvmBits.ExitReasonAt);

    /// <summary>Puts CPUID in force.</summary>
    public void ApplyCpuid()
    {
        fixed (byte* argument = Cpuid)
            KvmDevice.Call(Descriptor, KvmBits.KVM_SET_CPUID2, argument, "KVM_SET_CPUID2");
    }

    /// <summary>Sets the registers for a kernel's first instruction.</summary>
    public void Enter(BootEntry entry)
    {
        Span<byte> special = stackalloc byte[KvmBits.SregsBytes];
        Get(KvmBits.KVM_GET_SREGS, special, "KVM_GET_SREGS");
        BootRegisters.SetSpecial(special, entry.IsLongMode);
        Set(KvmBits.KVM_SET_SREGS, special, "KVM_SET_SREGS");
        Span<byte> general = stackalloc byte[KvmBits.RegsBytes];
        BootRegisters.SetGeneral(general, entry);
        Set(KvmBits.KVM_SET_REGS, general, "KVM_SET_REGS");
    }

    /// <summary>Runs guest code until something must be done outside of it, and does that.</summary>
    public RunResult Run(IExitHandler handler)
    {
        if (Libc.ioctl(Descriptor, KvmBits.KVM_RUN, 0) < 0)
            return Errno.Last is Linux.EINTR or Linux.EAGAIN ? RunResult.Again : RunResult.Failed;
        switch (ExitReason)
        {
            case KvmBits.KVM_EXIT_IO:
                return HandlePort(handler);
            case KvmBits.KVM_EXIT_MMIO:
                HandleMmio(handler);
                return RunResult.Again;
            case KvmBits.KVM_EXIT_INTR:
            case KvmBits.KVM_EXIT_IOAPIC_EOI:
                return RunResult.Again;
            case KvmBits.KVM_EXIT_SHUTDOWN:
                return RunResult.TripleFault;
            default:
                return RunResult.Failed;
        }
    }

    /// <summary>Finishes the access that <see cref="Run"/> handled last without running guest code, so that the state can be read.</summary>
    public void CompleteAccess()
    {
        _run[KvmBits.ImmediateExitAt] = 1;
        _ = Libc.ioctl(Descriptor, KvmBits.KVM_RUN, 0);
    }

    /// <summary>Makes the next run come back at once, from any thread; a signal is sent besides for a run that goes on.</summary>
    public void RequestExit(bool isWanted) => Volatile.Write(ref _run[KvmBits.ImmediateExitAt], isWanted ? (byte)1 : (byte)0);

    /// <summary>Reads a structure of the vCPU's state.</summary>
    public void Get(ulong request, Span<byte> target, string what)
    {
        fixed (byte* argument = target)
            KvmDevice.Call(Descriptor, request, argument, what);
    }

    /// <summary>Writes a structure of the vCPU's state.</summary>
    public void Set(ulong request, ReadOnlySpan<byte> source, string what)
    {
        fixed (byte* argument = source)
            KvmDevice.Call(Descriptor, request, argument, what);
    }

    /// <summary>Passes a structure to KVM that it reads and writes; the result is KVM's, negative on failure.</summary>
    public int Exchange(ulong request, Span<byte> argument)
    {
        fixed (byte* start = argument)
            return Libc.ioctl(Descriptor, request, (nint)start);
    }

    /// <summary>Tells a guest with KVM's clock that it stood still, so that its watchdogs do not strike; one without does not mind.</summary>
    public void NotePause() => _ = Libc.ioctl(Descriptor, KvmBits.KVM_KVMCLOCK_CTRL, 0);

    /// <summary>Frequency of its time stamp counter, kHz.</summary>
    public uint GetTscKhz() => (uint)KvmDevice.Call(Descriptor, KvmBits.KVM_GET_TSC_KHZ, 0, "KVM_GET_TSC_KHZ");

    /// <summary>Sets that frequency.</summary>
    /// <exception cref="KvmException">This host's processor cannot scale to it.</exception>
    public void SetTscKhz(uint frequency) => KvmDevice.Call(Descriptor, KvmBits.KVM_SET_TSC_KHZ, (nint)frequency, "KVM_SET_TSC_KHZ");

    /// <summary>Why it stopped and its registers, for an error report.</summary>
    public string Describe()
    {
        StringBuilder text = new();
        uint reason = ExitReason;
        text.Append(CultureInfo.InvariantCulture, $"vCPU {Index}: exit {reason}");
        if (reason == KvmBits.KVM_EXIT_INTERNAL_ERROR)
            text.Append(CultureInfo.InvariantCulture, $" (KVM internal error, suberror {*(uint*)(_run + KvmBits.ExitAt)})");
        else if (reason == KvmBits.KVM_EXIT_FAIL_ENTRY)
            text.Append(CultureInfo.InvariantCulture, $" (entry failed, hardware reason {*(ulong*)(_run + KvmBits.ExitAt):x})");
        Span<byte> registers = stackalloc byte[KvmBits.RegsBytes];
        Get(KvmBits.KVM_GET_REGS, registers, "KVM_GET_REGS");
        ReadOnlySpan<string> names = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags"];
        for (int i = 0; i < names.Length; i++)
            text.Append(CultureInfo.InvariantCulture, $" {names[i]}={BinaryPrimitives.ReadUInt64LittleEndian(registers[(8 * i)..]):x}");
        Span<byte> special = stackalloc byte[KvmBits.SregsBytes];
        Get(KvmBits.KVM_GET_SREGS, special, "KVM_GET_SREGS");
        ReadOnlySpan<string> control = ["cr0", "cr2", "cr3", "cr4", "cr8", "efer"];
        for (int i = 0; i < control.Length; i++)
            text.Append(CultureInfo.InvariantCulture, $" {control[i]}={BinaryPrimitives.ReadUInt64LittleEndian(special[(BootRegisters.ControlAt + 8 * i)..]):x}");
        return text.ToString();
    }

    private RunResult HandlePort(IExitHandler handler)
    {
        byte direction = _run[KvmBits.IoDirectionAt];
        int size = _run[KvmBits.IoSizeAt];
        ushort port = Unsafe.ReadUnaligned<ushort>(_run + KvmBits.IoPortAt);
        uint count = Unsafe.ReadUnaligned<uint>(_run + KvmBits.IoCountAt);
        byte* data = _run + Unsafe.ReadUnaligned<ulong>(_run + KvmBits.IoDataOffsetAt);
        for (uint i = 0; i < count; i++, data += size)
        {
            if (direction != KvmBits.KVM_EXIT_IO_OUT)
                handler.ReadPort(port, new Span<byte>(data, size));
            else if (!handler.WritePort(port, new ReadOnlySpan<byte>(data, size)))
                return RunResult.Reset;
        }

        return RunResult.Again;
    }

    private void HandleMmio(IExitHandler handler)
    {
        ulong address = Unsafe.ReadUnaligned<ulong>(_run + KvmBits.MmioAddressAt);
        int length = (int)Math.Min(Unsafe.ReadUnaligned<uint>(_run + KvmBits.MmioLengthAt), 8u);
        Span<byte> data = new(_run + KvmBits.MmioDataAt, length);
        if (_run[KvmBits.MmioIsWriteAt] != 0)
            handler.WriteMemory(address, data);
        else
            handler.ReadMemory(address, data);
    }
}
