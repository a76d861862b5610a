using System.Buffers.Binary;
using Candela.Vmm.Boot;
using Candela.Vmm.Legacy;
using Candela.Vmm.Memory;
using Candela.Vmm.Virtio.Mmio;

namespace Candela.Vmm.Acpi;

/// <summary>
/// ACPI tables of a hardware-reduced platform (ACPI 6.4, section 4.1): the vCPUs, the I/O APIC, the serial port, and each virtio device as
/// LNRO0005, which Linux's virtio_mmio finds without options on its command line.
/// </summary>
internal static class AcpiTables
{
    private const int HeaderBytes = 36; // 5.2.6
    private const int RsdpBytes = 36; // 5.2.5.3
    private const int FadtBytes = 276; // 5.2.9

    // FADT flags (5.2.9, table 5.10): WBINVD, no sleep button, hardware-reduced.
    private const uint FadtFlags = 1 << 0 | 1 << 5 | 1 << 20;

    // IA-PC boot architecture (5.2.9.3): legacy devices, no VGA, no CMOS clock.
    private const ushort BootArchitecture = 1 << 0 | 1 << 2 | 1 << 5;

    /// <summary>Writes them to <see cref="BootLayout.AcpiAddress"/>.</summary>
    public static void Write(GuestMemory memory, int vCpuCount, int virtioCount)
    {
        ulong next = BootLayout.AcpiAddress + RsdpBytes + 12; // 16-byte aligned
        ulong dsdt = Place(memory, ref next, "DSDT"u8, 6, Devices(virtioCount));
        ulong fadt = Place(memory, ref next, "FACP"u8, 6, Fadt(dsdt));
        ulong madt = Place(memory, ref next, "APIC"u8, 5, Madt(vCpuCount));
        byte[] tables = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(tables, fadt);
        BinaryPrimitives.WriteUInt64LittleEndian(tables.AsSpan(8), madt);
        ulong xsdt = Place(memory, ref next, "XSDT"u8, 1, tables);

        Span<byte> rsdp = memory.Span(BootLayout.AcpiAddress, RsdpBytes);
        rsdp.Clear();
        "RSD PTR "u8.CopyTo(rsdp);
        "CANDEL"u8.CopyTo(rsdp[9..]);
        rsdp[15] = 2; // revision
        BinaryPrimitives.WriteUInt32LittleEndian(rsdp[20..], RsdpBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(rsdp[24..], xsdt);
        rsdp[8] = Checksum(rsdp[..20]);
        rsdp[32] = Checksum(rsdp);
    }

    private static ulong Place(GuestMemory memory, ref ulong next, ReadOnlySpan<byte> signature, byte revision, ReadOnlySpan<byte> content)
    {
        ulong address = next;
        Span<byte> table = memory.Span(address, HeaderBytes + content.Length);
        table[..HeaderBytes].Clear();
        signature.CopyTo(table);
        BinaryPrimitives.WriteUInt32LittleEndian(table[4..], (uint)table.Length);
        table[8] = revision;
        "CANDEL"u8.CopyTo(table[10..]);
        "CANDELA "u8.CopyTo(table[16..]);
        BinaryPrimitives.WriteUInt32LittleEndian(table[24..], 1); // OEM revision
        "CNDL"u8.CopyTo(table[28..]);
        BinaryPrimitives.WriteUInt32LittleEndian(table[32..], 1); // creator revision
        content.CopyTo(table[HeaderBytes..]);
        table[9] = Checksum(table);
        next = (address + (ulong)table.Length + 15) & ~15UL;
        return address;
    }

    private static byte[] Devices(int virtioCount)
    {
        List<byte[]> devices =
        [
            Aml.Device("COM1", Aml.Name("_HID", Aml.EisaId("PNP0501")), Aml.Name("_UID", Aml.Byte(0)),
                Aml.Name("_CRS", Aml.Resources(Aml.Ports(Serial8250.PortBase, (byte)Serial8250.PortCount), Aml.Interrupt(Serial8250.Gsi)))),
        ];
        for (int i = 0; i < virtioCount; i++)
        {
            devices.Add(Aml.Device($"VR{i:D2}", Aml.Name("_HID", Aml.Text("LNRO0005")), Aml.Name("_UID", Aml.Byte((byte)i)),
                Aml.Name("_CRS", Aml.Resources(
                    Aml.Memory32Fixed(Platform.VirtioAddress + (uint)i * Platform.VirtioStride, MmioRegister.WindowBytes), Aml.Interrupt(Platform.VirtioGsi + i)))));
        }

        return Aml.Scope("_SB_", [.. devices]);
    }

    private static byte[] Fadt(ulong dsdt)
    {
        byte[] fadt = new byte[FadtBytes];
        Span<byte> fields = fadt;
        BinaryPrimitives.WriteUInt32LittleEndian(fields[40..], (uint)dsdt);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[109..], BootArchitecture);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[112..], FadtFlags);
        fields[131] = 4; // minor version
        BinaryPrimitives.WriteUInt64LittleEndian(fields[140..], dsdt);
        "CANDELA "u8.CopyTo(fields[268..]); // hypervisor vendor
        return fadt[HeaderBytes..];
    }

    private static byte[] Madt(int vCpuCount)
    {
        byte[] madt = new byte[8 + 8 * vCpuCount + 12];
        BinaryPrimitives.WriteUInt32LittleEndian(madt, Platform.LocalApicAddress);
        Span<byte> entries = madt.AsSpan(8);
        for (int i = 0; i < vCpuCount; i++)
        {
            // Processor local APIC (5.2.12.2): enabled.
            ReadOnlySpan<byte> entry = [0, 8, (byte)i, (byte)i, 1, 0, 0, 0];
            entry.CopyTo(entries);
            entries = entries[8..];
        }

        // I/O APIC (5.2.12.3): id, address, first interrupt 0.
        entries[0] = 1;
        entries[1] = 12;
        BinaryPrimitives.WriteUInt32LittleEndian(entries[4..], Platform.IoApicAddress);
        return madt;
    }

    private static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte b in bytes)
            sum += b;
        return (byte)-sum;
    }
}
