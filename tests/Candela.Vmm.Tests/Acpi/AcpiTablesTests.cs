using System.Buffers.Binary;
using System.Text;
using Candela.Vmm.Acpi;
using Candela.Vmm.Boot;
using Candela.Vmm.Tests.Support;

namespace Candela.Vmm.Tests.Acpi;

public sealed class AcpiTablesTests : IDisposable
{
    private readonly TestMemory _memory = new(16 << 20);

    public AcpiTablesTests() => AcpiTables.Write(_memory.Memory, 8, Platform.VirtioCountMaximum);

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void All_tables_are_found_and_their_sums_are_zero()
    {
        Span<byte> pointer = _memory.Memory.Span(BootLayout.AcpiAddress, 36);
        Assert.Equal("RSD PTR ", Encoding.ASCII.GetString(pointer[..8]));
        Assert.Equal(0, Sum(pointer[..20]));
        Assert.Equal(0, Sum(pointer));
        (string name, byte[] xsdt) = Table(BinaryPrimitives.ReadUInt64LittleEndian(pointer[24..]));
        Assert.Equal("XSDT", name);
        (name, byte[] fadt) = Table(BinaryPrimitives.ReadUInt64LittleEndian(xsdt.AsSpan(36)));
        Assert.Equal("FACP", name);
        (name, byte[] madt) = Table(BinaryPrimitives.ReadUInt64LittleEndian(xsdt.AsSpan(44)));
        Assert.Equal("APIC", name);
        Assert.Equal(36 + 8 + 8 * 8 + 12, madt.Length);
        Assert.Equal(1u, BinaryPrimitives.ReadUInt32LittleEndian(fadt.AsSpan(112)) >> 20);
        (name, byte[] dsdt) = Table(BinaryPrimitives.ReadUInt64LittleEndian(fadt.AsSpan(140)));
        Assert.Equal("DSDT", name);
        Assert.Equal(Platform.VirtioCountMaximum, Encoding.Latin1.GetString(dsdt).Split("LNRO0005").Length - 1);
    }

    [Fact]
    public void Eisa_ids_are_packed() => Assert.Equal([0x0c, 0x41, 0xd0, 0x05, 0x01], Aml.EisaId("PNP0501"));

    private (string Name, byte[] Table) Table(ulong address)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(_memory.Memory.Span(address + 4, 4));
        byte[] table = _memory.Memory.Span(address, length).ToArray();
        Assert.Equal(0, Sum(table));
        return (Encoding.ASCII.GetString(table, 0, 4), table);
    }

    private static int Sum(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte b in bytes)
            sum += b;
        return sum;
    }
}
