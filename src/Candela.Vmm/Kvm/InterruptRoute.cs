namespace Candela.Vmm.Kvm;

/// <summary>The message-signalled interrupt that a pin of the I/O APIC sends (Intel SDM 3A, 11.11).</summary>
internal readonly record struct InterruptRoute(int Gsi, uint Address, uint Data);
