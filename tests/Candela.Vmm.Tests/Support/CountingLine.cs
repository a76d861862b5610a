namespace Candela.Vmm.Tests.Support;

/// <summary>Counts interrupts.</summary>
internal sealed class CountingLine : IInterruptLine
{
    public int Count { get; private set; }

    public void Raise() => Count++;
}
