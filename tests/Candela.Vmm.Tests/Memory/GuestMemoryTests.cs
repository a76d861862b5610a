using Candela.Vmm.Memory;

namespace Candela.Vmm.Tests.Memory;

public sealed unsafe class GuestMemoryTests
{
    private const ulong Gibibyte = 1UL << 30;

    // Never touched: only addresses are computed.
    private static readonly nint Host = unchecked((nint)0x7000_0000_0000);

    [Theory]
    [InlineData(0, 1, true, 0)]
    [InlineData(0xFFF, 1, true, 0xFFF)]
    [InlineData(0xFFF, 2, false, 0)]
    [InlineData(0x1000, 0, false, 0)]
    [InlineData(0x1000, 1, false, 0)]
    [InlineData(1, ulong.MaxValue, false, 0)]
    [InlineData(ulong.MaxValue, 1, false, 0)]
    public void Small_memory_is_checked_at_its_end(ulong address, ulong length, bool isMemory, long offset) => Check(0x1000, address, length, isMemory, offset);

    [Theory]
    [InlineData(3 * Gibibyte - 1, 1, true, 3 * Gibibyte - 1)]
    [InlineData(3 * Gibibyte - 1, 2, false, 0)]
    [InlineData(3 * Gibibyte, 1, false, 0)]
    [InlineData(4 * Gibibyte - 1, 1, false, 0)]
    [InlineData(4 * Gibibyte, 1, true, 3 * Gibibyte)]
    [InlineData(6 * Gibibyte - 1, 1, true, 5 * Gibibyte - 1)]
    [InlineData(6 * Gibibyte - 1, 2, false, 0)]
    [InlineData(6 * Gibibyte, 1, false, 0)]
    public void Large_memory_has_a_hole_for_devices(ulong address, ulong length, bool isMemory, ulong offset) => Check(5 * Gibibyte, address, length, isMemory, (long)offset);

    private static void Check(ulong size, ulong address, ulong length, bool isMemory, long offset)
    {
        GuestMemory memory = new((byte*)Host, size);
        Assert.Equal(isMemory, memory.TryTranslate(address, length, out byte* host));
        if (isMemory)
            Assert.Equal(Host + (nint)offset, (nint)host);
    }
}
