namespace Candela.Vmm.Acpi;

/// <summary>Fixed addresses and interrupts of the VM's platform.</summary>
internal static class Platform
{
    /// <summary>Local APIC (Intel SDM 3A, 11.4.1).</summary>
    public const uint LocalApicAddress = 0xfee0_0000;

    /// <summary>I/O APIC (82093AA data sheet, 3.0).</summary>
    public const uint IoApicAddress = 0xfec0_0000;

    /// <summary>First virtio device's registers; the others follow at <see cref="VirtioStride"/>.</summary>
    public const uint VirtioAddress = 0xd000_0000;

    /// <summary>Distance between devices' registers, a page.</summary>
    public const uint VirtioStride = 0x1000;

    /// <summary>Interrupt of the first virtio device; the others follow.</summary>
    public const int VirtioGsi = 5;

    /// <summary>Most virtio devices: their interrupts end where the I/O APIC's pins do.</summary>
    public const int VirtioCountMaximum = IoApicPins - VirtioGsi;

    /// <summary>Pins of the I/O APIC.</summary>
    public const int IoApicPins = 24;
}
