namespace Candela.Vmm.Kvm;

/// <summary>Takes over the messages of the I/O APIC's pins.</summary>
internal interface IInterruptRouter
{
    /// <summary>Replaces all routes.</summary>
    void SetRoutes(ReadOnlySpan<InterruptRoute> routes);
}
