using Candela.Vmm.State;

namespace Candela.Vmm.Kvm;

/// <summary>All of a vCPU's state as KVM's own structures.</summary>
internal sealed class VCpuState
{
    private const int MsrsMaximum = 1024;

    /// <summary>struct kvm_cpuid2.</summary>
    public byte[] Cpuid { get; private set; } = [];

    /// <summary>struct kvm_mp_state.</summary>
    public byte[] MpState { get; } = new byte[KvmBits.MpStateBytes];

    /// <summary>struct kvm_regs.</summary>
    public byte[] Registers { get; } = new byte[KvmBits.RegsBytes];

    /// <summary>struct kvm_sregs.</summary>
    public byte[] SpecialRegisters { get; } = new byte[KvmBits.SregsBytes];

    /// <summary>struct kvm_xsave.</summary>
    public byte[] Xsave { get; } = new byte[KvmBits.XsaveBytes];

    /// <summary>struct kvm_xcrs.</summary>
    public byte[] ExtendedControl { get; } = new byte[KvmBits.XcrsBytes];

    /// <summary>struct kvm_debugregs.</summary>
    public byte[] DebugRegisters { get; } = new byte[KvmBits.DebugregsBytes];

    /// <summary>struct kvm_lapic_state.</summary>
    public byte[] LocalApic { get; } = new byte[KvmBits.LapicBytes];

    /// <summary>struct kvm_vcpu_events.</summary>
    public byte[] Events { get; } = new byte[KvmBits.VcpuEventsBytes];

    /// <summary>Model-specific registers in the order in which they are set.</summary>
    public ModelRegister[] ModelRegisters { get; private set; } = [];

    /// <summary>Reads it from a vCPU that stands still, on that vCPU's thread.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public static VCpuState Read(VCpu vCpu, uint[] modelRegisters)
    {
        VCpuState state = new() { Cpuid = vCpu.Cpuid };
        // MP_STATE first: KVM works off a pending INIT or SIPI there.
        vCpu.Get(KvmBits.KVM_GET_MP_STATE, state.MpState, "KVM_GET_MP_STATE");
        vCpu.Get(KvmBits.KVM_GET_REGS, state.Registers, "KVM_GET_REGS");
        vCpu.Get(KvmBits.KVM_GET_SREGS, state.SpecialRegisters, "KVM_GET_SREGS");
        vCpu.Get(KvmBits.KVM_GET_XSAVE, state.Xsave, "KVM_GET_XSAVE");
        vCpu.Get(KvmBits.KVM_GET_XCRS, state.ExtendedControl, "KVM_GET_XCRS");
        vCpu.Get(KvmBits.KVM_GET_DEBUGREGS, state.DebugRegisters, "KVM_GET_DEBUGREGS");
        vCpu.Get(KvmBits.KVM_GET_LAPIC, state.LocalApic, "KVM_GET_LAPIC");
        vCpu.Get(KvmBits.KVM_GET_VCPU_EVENTS, state.Events, "KVM_GET_VCPU_EVENTS");
        state.ModelRegisters = ModelRegister.ReadAll(vCpu, modelRegisters);
        return state;
    }

    /// <summary>Sets it on a new vCPU.</summary>
    /// <exception cref="KvmException">KVM refused.</exception>
    public void Apply(VCpu vCpu)
    {
        vCpu.Cpuid = Cpuid;
        vCpu.ApplyCpuid();
        vCpu.Set(KvmBits.KVM_SET_MP_STATE, MpState, "KVM_SET_MP_STATE");
        vCpu.Set(KvmBits.KVM_SET_REGS, Registers, "KVM_SET_REGS"); // before the events: it drops pending exceptions
        vCpu.Set(KvmBits.KVM_SET_SREGS, SpecialRegisters, "KVM_SET_SREGS");
        vCpu.Set(KvmBits.KVM_SET_XSAVE, Xsave, "KVM_SET_XSAVE");
        vCpu.Set(KvmBits.KVM_SET_XCRS, ExtendedControl, "KVM_SET_XCRS");
        vCpu.Set(KvmBits.KVM_SET_DEBUGREGS, DebugRegisters, "KVM_SET_DEBUGREGS");
        vCpu.Set(KvmBits.KVM_SET_LAPIC, LocalApic, "KVM_SET_LAPIC"); // after its address in sregs, before the deadline in the MSRs
        ModelRegister.WriteAll(vCpu, ModelRegisters);
        vCpu.Set(KvmBits.KVM_SET_VCPU_EVENTS, Events, "KVM_SET_VCPU_EVENTS");
        vCpu.NotePause();
    }

    /// <summary>Saves it.</summary>
    public void Save(StateWriter state)
    {
        state.Bytes(Cpuid);
        foreach (byte[] part in Parts)
            state.Bytes(part);
        state.U32((uint)ModelRegisters.Length);
        foreach (ModelRegister register in ModelRegisters)
        {
            state.U32(register.Index);
            state.U64(register.Value);
        }
    }

    /// <summary>Takes saved state.</summary>
    /// <exception cref="StateException">It is damaged.</exception>
    public static VCpuState Load(ref StateReader state)
    {
        VCpuState loaded = new() { Cpuid = state.Bytes(CpuidTemplate.BytesMaximum).ToArray() };
        if (!CpuidTemplate.IsWhole(loaded.Cpuid))
            throw new StateException("CPUID is not whole");
        foreach (byte[] part in loaded.Parts)
        {
            ReadOnlySpan<byte> bytes = state.Bytes(part.Length);
            if (bytes.Length != part.Length)
                throw new StateException("a vCPU's registers are not whole");
            bytes.CopyTo(part);
        }

        uint count = state.U32();
        if (count > MsrsMaximum)
            throw new StateException($"{count} model-specific registers");
        loaded.ModelRegisters = new ModelRegister[count];
        for (int i = 0; i < loaded.ModelRegisters.Length; i++)
            loaded.ModelRegisters[i] = new ModelRegister(state.U32(), state.U64());
        return loaded;
    }

    private byte[][] Parts => [MpState, Registers, SpecialRegisters, Xsave, ExtendedControl, DebugRegisters, LocalApic, Events];
}
