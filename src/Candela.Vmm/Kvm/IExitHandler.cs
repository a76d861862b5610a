namespace Candela.Vmm.Kvm;

/// <summary>What the guest's accesses outside of its memory lead to. Called by vCPU threads, at the same time.</summary>
internal interface IExitHandler
{
    /// <summary>The guest reads a port; what is not there reads as ones.</summary>
    void ReadPort(ushort port, Span<byte> target);

    /// <summary>The guest writes a port; false: that resets the machine.</summary>
    bool WritePort(ushort port, ReadOnlySpan<byte> source);

    /// <summary>The guest reads a device's memory; what is not there reads as ones.</summary>
    void ReadMemory(ulong address, Span<byte> target);

    /// <summary>The guest writes a device's memory.</summary>
    void WriteMemory(ulong address, ReadOnlySpan<byte> source);
}
