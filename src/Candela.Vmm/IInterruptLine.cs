namespace Candela.Vmm;

/// <summary>A device's edge-triggered wire to the guest's interrupt controller.</summary>
internal interface IInterruptLine
{
    /// <summary>Raises one interrupt. From any thread; allocates nothing.</summary>
    void Raise();
}
