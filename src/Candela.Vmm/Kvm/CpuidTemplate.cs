using System.Buffers.Binary;

namespace Candela.Vmm.Kvm;

/// <summary>
/// What CPUID tells the guest (Intel SDM 2A, CPUID; AMD APM 3, appendix E): what KVM supports, with the topology of this VM. The leaves
/// are kept as KVM's own structure (struct kvm_cpuid2), and saved with a snapshot, so that a clone sees what its parent saw.
/// </summary>
internal static unsafe class CpuidTemplate
{
    private const int EntriesMaximum = 256;
    private const int HeaderBytes = 8;

    // Leaf 1.
    private const uint EcxTscDeadline = 1u << 24;
    private const uint EcxX2Apic = 1u << 21;
    private const uint EcxHypervisor = 1u << 31;
    private const uint EdxHyperThreading = 1u << 28;

    /// <summary>Size of the structure for any template.</summary>
    public const int BytesMaximum = HeaderBytes + EntriesMaximum * KvmBits.CpuidEntryBytes;

    /// <summary>The structure for one of so many vCPUs.</summary>
    public static byte[] For(int kvm, int index, int count)
    {
        byte[] buffer = new byte[BytesMaximum];
        BinaryPrimitives.WriteInt32LittleEndian(buffer, EntriesMaximum);
        fixed (byte* argument = buffer)
            KvmDevice.Call(kvm, KvmBits.KVM_GET_SUPPORTED_CPUID, argument, "KVM_GET_SUPPORTED_CPUID");
        int entries = BinaryPrimitives.ReadInt32LittleEndian(buffer);
        bool hasDeadline = KvmDevice.Has(kvm, KvmBits.KVM_CAP_TSC_DEADLINE_TIMER);
        for (int i = 0; i < entries; i++)
            Adapt(buffer.AsSpan(HeaderBytes + i * KvmBits.CpuidEntryBytes, KvmBits.CpuidEntryBytes), index, count, hasDeadline);
        return buffer[..(HeaderBytes + entries * KvmBits.CpuidEntryBytes)];
    }

    /// <summary>Whether bytes are such a structure.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> cpuid) =>
        cpuid.Length >= HeaderBytes && BinaryPrimitives.ReadUInt32LittleEndian(cpuid) is var entries && entries <= EntriesMaximum
        && cpuid.Length == HeaderBytes + (int)entries * KvmBits.CpuidEntryBytes;

    private static void Adapt(Span<byte> entry, int index, int count, bool hasDeadline)
    {
        uint function = Get(entry, 0), subleaf = Get(entry, 4);
        switch (function)
        {
            case 1:
                Set(entry, 16, (Get(entry, 16) & 0x0000_ffff) | (uint)index << 24 | (uint)count << 16);
                Set(entry, 20, Get(entry, 20) | EcxHypervisor | EcxX2Apic | (hasDeadline ? EcxTscDeadline : 0));
                Set(entry, 24, count > 1 ? Get(entry, 24) | EdxHyperThreading : Get(entry, 24) & ~EdxHyperThreading);
                break;
            case 4:
                // Caches of this vCPU alone, in one package.
                Set(entry, 12, (Get(entry, 12) & 0x0000_3fff) | (uint)(count - 1) << 26);
                break;
            case 0xb or 0x1f:
                // One thread a core; so many cores a package.
                Set(entry, 12, subleaf == 1 ? Bits(count) : 0);
                Set(entry, 16, subleaf == 0 ? 1u : subleaf == 1 ? (uint)count : 0);
                Set(entry, 20, subleaf | (subleaf < 2 ? (subleaf + 1) << 8 : 0));
                Set(entry, 24, (uint)index);
                break;
            case 0x8000_0008:
                Set(entry, 20, (uint)(count - 1) | Bits(count) << 12);
                break;
            case 0x8000_001e:
                Set(entry, 12, (uint)index);
                Set(entry, 16, (uint)index);
                break;
        }
    }

    private static uint Bits(int count) => (uint)(32 - System.Numerics.BitOperations.LeadingZeroCount((uint)(count - 1)));

    // Entry: function, index, flags, eax, ebx, ecx, edx, padding.
    private static uint Get(ReadOnlySpan<byte> entry, int at) => BinaryPrimitives.ReadUInt32LittleEndian(entry[at..]);

    private static void Set(Span<byte> entry, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(entry[at..], value);
}
