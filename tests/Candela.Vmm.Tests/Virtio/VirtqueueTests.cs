using Candela.Vmm.Tests.Support;
using Candela.Vmm.Virtio;
using Candela.Vmm.Virtio.Block;
using Candela.Vmm.Virtio.Mmio;
using Candela.Vmm.Virtio.Queue;

namespace Candela.Vmm.Tests.Virtio;

public sealed class VirtqueueTests : IDisposable
{
    private const ushort Next = SplitRing.VIRTQ_DESC_F_NEXT, Write = SplitRing.VIRTQ_DESC_F_WRITE, Indirect = SplitRing.VIRTQ_DESC_F_INDIRECT;
    private readonly TestMemory _memory = new();

    public void Dispose() => _memory.Dispose();

    private GuestDriver Make(ulong unwanted = 0) => new(_memory, new BlockDevice(_memory.Memory, "disk"u8, 1 << 20, isReadOnly: false), unwanted);

    private static bool IsStopped(GuestDriver driver) => (driver.Read(MmioRegister.Status) & (uint)DeviceStatus.NeedsReset) != 0;

    [Fact]
    public void A_loop_of_descriptors_stops_the_device_only()
    {
        GuestDriver driver = Make();
        driver.Describe(0, 0, 0x80000, 16, Next, 1);
        driver.Describe(0, 1, 0x80000, 16, Next, 0);
        driver.Offer(0, 0);
        driver.Notify(0);
        Assert.True(IsStopped(driver));
        Assert.Null(driver.TakeUsed(0));
        driver.Initialize(0);
        Assert.Equal(0, driver.Exchange(0, BlockDeviceTests.Request(0, 0), 513)[512]);
    }

    public static TheoryData<ulong, uint, ushort, ushort> BadDescriptors => new()
    {
        { 0x100000, 16, 0, 0 }, // beyond the end
        { 0xFFFF8, 16, 0, 0 }, // across the end
        { ulong.MaxValue - 7, 16, 0, 0 }, // wraps
        { 0xFEE00000, 16, 0, 0 }, // a device's address
        { 0x80000, uint.MaxValue, 0, 0 }, // too long
        { 0x80000, 16, Next, 16 }, // follower outside of the table
        { 0x80000, 16, Next, ushort.MaxValue },
        { 0x80000, 15, Indirect, 0 }, // not whole descriptors
        { 0x80000, 0, Indirect, 0 }, // an empty table
        { 0x80000, 32, Indirect | Next, 1 }, // with a follower
        { 0x100000, 32, Indirect, 0 }, // a table outside of memory
    };

    [Theory]
    [MemberData(nameof(BadDescriptors))]
    public void A_bad_descriptor_stops_the_device(ulong address, uint length, ushort flags, ushort next)
    {
        GuestDriver driver = Make();
        driver.Describe(0, 0, address, length, flags, next);
        driver.Offer(0, 0);
        driver.Notify(0);
        Assert.True(IsStopped(driver));
    }

    [Fact]
    public void A_head_outside_of_the_table_stops_the_device()
    {
        GuestDriver driver = Make();
        driver.Offer(0, 16);
        driver.Notify(0);
        Assert.True(IsStopped(driver));
    }

    [Fact]
    public void An_index_that_leaps_further_than_the_ring_stops_the_device()
    {
        GuestDriver driver = Make();
        driver.At(GuestDriver.Available(0) + 2, 2)[0] = 17;
        driver.Notify(0);
        Assert.True(IsStopped(driver));
    }

    [Fact]
    public void A_table_within_a_table_stops_the_device()
    {
        GuestDriver driver = Make();
        driver.Describe(0, 0, 0x80000, 32, Indirect, 0);
        driver.Describe(0x80000ul, 0, 0x80000, 32, Indirect, 0);
        driver.Offer(0, 0);
        driver.Notify(0);
        Assert.True(IsStopped(driver));
    }

    [Fact]
    public void A_readable_buffer_after_a_writable_one_stops_the_device()
    {
        GuestDriver driver = Make();
        driver.Describe(0, 0, 0x80000, 16, Write | Next, 1);
        driver.Describe(0, 1, 0x80000, 16, 0, 0);
        driver.Offer(0, 0);
        driver.Notify(0);
        Assert.True(IsStopped(driver));
    }

    [Fact]
    public void An_indirect_table_is_walked()
    {
        GuestDriver driver = Make();
        BlockDeviceTests.Request(8, 0).CopyTo(driver.At(0x90000, 16));
        driver.Describe(0, 3, 0x80000, 48, Indirect, 0);
        driver.Describe(0x80000ul, 0, 0x90000, 16, Next, 1);
        driver.Describe(0x80000ul, 1, 0x91000, 20, Write | Next, 2);
        driver.Describe(0x80000ul, 2, 0x92000, 1, Write, 0);
        driver.At(0x92000, 1)[0] = 0xFF;
        driver.Offer(0, 3);
        driver.Notify(0);
        Assert.Equal((3u, 5u), driver.TakeUsed(0) is { } used ? (used.Head, used.Length - 16) : default);
        Assert.Equal("disk"u8.ToArray(), driver.At(0x91000, 4).ToArray());
        Assert.Equal(0, driver.At(0x92000, 1)[0]);
    }

    [Fact]
    public void Without_event_index_the_flag_suppresses_interrupts()
    {
        GuestDriver driver = Make(VirtioFeatures.VIRTIO_F_EVENT_IDX);
        driver.At(GuestDriver.Available(0), 1)[0] = 1;
        driver.Exchange(0, BlockDeviceTests.Request(4, 0), 1);
        Assert.Equal(0, driver.Line.Count);
        driver.At(GuestDriver.Available(0), 1)[0] = 0;
        driver.Exchange(0, BlockDeviceTests.Request(4, 0), 1);
        Assert.Equal(1, driver.Line.Count);
    }

    [Fact]
    public void Several_returned_requests_raise_one_interrupt()
    {
        GuestDriver driver = Make();
        BlockDeviceTests.Request(4, 0).CopyTo(driver.At(0x80000, 16));
        for (int i = 0; i < 5; i++)
            driver.Add(0, new GuestBuffer(0x80000, 16, false), new GuestBuffer(0x81000, 1, true));
        driver.Notify(0);
        Assert.Equal(1, driver.Line.Count);
        for (int i = 0; i < 5; i++)
            Assert.NotNull(driver.TakeUsed(0));
        Assert.Null(driver.TakeUsed(0));
    }

    [Fact]
    public void Indexes_wrap_around()
    {
        GuestDriver driver = Make();
        for (int i = 0; i < 70_000; i++)
            driver.Exchange(0, BlockDeviceTests.Request(4, 0), 1);
        Assert.Equal(70_000, driver.Line.Count);
        Assert.False(IsStopped(driver));
    }
}
