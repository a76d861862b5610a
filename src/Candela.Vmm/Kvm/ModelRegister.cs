using System.Buffers.Binary;

namespace Candela.Vmm.Kvm;

/// <summary>A model-specific register (struct kvm_msr_entry).</summary>
internal readonly record struct ModelRegister(uint Index, ulong Value)
{
    // Intel SDM 4. The deadline is set last: it counts on the time stamp counter.
    private const uint IA32_TSC_DEADLINE = 0x6e0;

    private const int ListMaximum = 1024;

    /// <summary>Registers that KVM saves and restores, in the order in which they are to be set.</summary>
    public static unsafe uint[] List(int kvm)
    {
        uint[] list = new uint[1 + ListMaximum]; // struct kvm_msr_list
        list[0] = ListMaximum;
        fixed (uint* argument = list)
            KvmDevice.Call(kvm, KvmBits.KVM_GET_MSR_INDEX_LIST, argument, "KVM_GET_MSR_INDEX_LIST");
        return [.. list.AsSpan(1, (int)list[0]).ToArray().OrderBy(index => index == IA32_TSC_DEADLINE)];
    }

    /// <summary>Reads those that this vCPU has.</summary>
    public static ModelRegister[] ReadAll(VCpu vCpu, uint[] indexes)
    {
        List<ModelRegister> registers = new(indexes.Length);
        foreach (uint index in indexes)
        {
            if (TryAccess(vCpu, KvmBits.KVM_GET_MSRS, index, 0, out ulong value))
                registers.Add(new ModelRegister(index, value));
        }

        return [.. registers];
    }

    /// <summary>Sets them. One that cannot be set must have the value already.</summary>
    /// <exception cref="KvmException">One cannot be set: this host's processor or KVM is too different.</exception>
    public static void WriteAll(VCpu vCpu, ModelRegister[] registers)
    {
        foreach (ModelRegister register in registers)
        {
            if (TryAccess(vCpu, KvmBits.KVM_SET_MSRS, register.Index, register.Value, out _))
                continue;
            if (!TryAccess(vCpu, KvmBits.KVM_GET_MSRS, register.Index, 0, out ulong value) || value != register.Value)
                throw new KvmException($"model-specific register {register.Index:x} cannot be set to {register.Value:x} on this host");
        }
    }

    private static bool TryAccess(VCpu vCpu, ulong request, uint index, ulong value, out ulong result)
    {
        // struct kvm_msrs with one entry; the ioctl's result is how many were done.
        Span<byte> argument = stackalloc byte[8 + KvmBits.MsrEntryBytes];
        argument.Clear();
        argument[0] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(argument[8..], index);
        BinaryPrimitives.WriteUInt64LittleEndian(argument[16..], value);
        bool isDone = vCpu.Exchange(request, argument) == 1;
        result = BinaryPrimitives.ReadUInt64LittleEndian(argument[16..]);
        return isDone;
    }
}
