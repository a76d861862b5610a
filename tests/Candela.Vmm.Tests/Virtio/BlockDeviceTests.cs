using System.Buffers.Binary;
using Candela.Vmm.Tests.Support;
using Candela.Vmm.Virtio.Block;
using Candela.Vmm.Virtio.Mmio;

namespace Candela.Vmm.Tests.Virtio;

public sealed class BlockDeviceTests : IDisposable
{
    private const int DiskBytes = 1 << 20;
    private readonly TestMemory _memory = new();
    private readonly MemoryBackend _disk = new(DiskBytes);

    public BlockDeviceTests() => Random.Shared.NextBytes(_disk.Content);

    public void Dispose() => _memory.Dispose();

    /// <summary>A request's header and what follows.</summary>
    internal static byte[] Request(uint type, ulong sector, params ReadOnlySpan<byte> data)
    {
        byte[] request = new byte[16 + data.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(request, type);
        BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(8), sector);
        data.CopyTo(request.AsSpan(16));
        return request;
    }

    private static byte[] Range(ulong sector, uint count, uint flags)
    {
        byte[] range = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(range, sector);
        BinaryPrimitives.WriteUInt32LittleEndian(range.AsSpan(8), count);
        BinaryPrimitives.WriteUInt32LittleEndian(range.AsSpan(12), flags);
        return range;
    }

    private GuestDriver Make(bool isReadOnly = false, bool hasStorage = true)
    {
        BlockDevice device = new(_memory.Memory, "disk"u8, DiskBytes, isReadOnly) { Backend = hasStorage ? _disk : null };
        return new GuestDriver(_memory, device);
    }

    [Fact]
    public void Tells_its_capacity()
    {
        GuestDriver driver = Make();
        Assert.Equal(DiskBytes / 512u, driver.Read(MmioRegister.Config));
        Assert.Equal(0u, driver.Read(MmioRegister.Config + 4));
        Assert.Equal(0u, driver.Read(MmioRegister.Config + 0x80));
    }

    [Fact]
    public void Reads_and_writes_sectors()
    {
        GuestDriver driver = Make();
        byte[] answer = driver.Exchange(0, Request(0, 7), 1025);
        Assert.Equal(0, answer[1024]);
        Assert.Equal(_disk.Content.AsSpan(7 * 512, 1024).ToArray(), answer[..1024]);

        byte[] data = new byte[1536];
        Random.Shared.NextBytes(data);
        Assert.Equal([0], driver.Exchange(0, Request(1, 2045, data), 1));
        Assert.Equal(data, _disk.Content.AsSpan(2045 * 512).ToArray());
    }

    [Theory]
    [InlineData(0u, 2048ul, 513)]
    [InlineData(0u, 2047ul, 1025)]
    [InlineData(0u, ulong.MaxValue, 513)]
    [InlineData(0u, 1ul << 55, 513)]
    [InlineData(0u, 0ul, 500)]
    public void Reads_outside_of_the_disk_are_errors(uint type, ulong sector, int answer)
    {
        Assert.Equal(1, Make().Exchange(0, Request(type, sector), answer)[^1]);
    }

    [Fact]
    public void Writes_outside_of_the_disk_are_errors()
    {
        GuestDriver driver = Make();
        byte[] before = [.. _disk.Content];
        Assert.Equal([1], driver.Exchange(0, Request(1, 2048, new byte[512]), 1));
        Assert.Equal([1], driver.Exchange(0, Request(1, 0, new byte[100]), 1));
        Assert.Equal(before, _disk.Content);
    }

    [Fact]
    public void A_read_only_disk_is_not_written()
    {
        GuestDriver driver = Make(isReadOnly: true);
        byte[] before = [.. _disk.Content];
        Assert.Equal([1], driver.Exchange(0, Request(1, 0, new byte[512]), 1));
        Assert.Equal([1], driver.Exchange(0, Request(11, 0, Range(0, 8, 0)), 1));
        Assert.Equal([1], driver.Exchange(0, Request(13, 0, Range(0, 8, 0)), 1));
        Assert.Equal(before, _disk.Content);
    }

    [Fact]
    public void Flush_reaches_the_storage_and_its_failure_the_guest()
    {
        GuestDriver driver = Make();
        Assert.Equal([0], driver.Exchange(0, Request(4, 0), 1));
        Assert.Equal(1, _disk.FlushCount);
        _disk.IsBroken = true;
        Assert.Equal([1], driver.Exchange(0, Request(4, 0), 1));
        Assert.Equal(1, driver.Exchange(0, Request(0, 0), 513)[512]);
    }

    [Theory]
    [InlineData(11u)]
    [InlineData(13u)]
    public void Discard_and_write_zeroes_make_zeros(uint type)
    {
        GuestDriver driver = Make();
        byte[] expected = [.. _disk.Content];
        expected.AsSpan(16 * 512, 8 * 512).Clear();
        expected.AsSpan(2040 * 512, 8 * 512).Clear();
        Assert.Equal([0], driver.Exchange(0, Request(type, 0, [.. Range(16, 8, 0), .. Range(2040, 8, 0)]), 1));
        Assert.Equal(expected, _disk.Content);
    }

    [Theory]
    [InlineData(13u, 0ul, 8u, 2u, 2)] // unknown flag
    [InlineData(11u, 0ul, 8u, 1u, 2)] // unmap in a discard
    [InlineData(13u, 2047ul, 2u, 0u, 1)] // beyond the end
    [InlineData(13u, ulong.MaxValue, 1u, 0u, 1)]
    [InlineData(13u, 0ul, uint.MaxValue, 0u, 1)]
    public void Ranges_that_are_not_allowed_change_nothing(uint type, ulong sector, uint count, uint flags, byte status)
    {
        GuestDriver driver = Make();
        byte[] before = [.. _disk.Content];
        Assert.Equal([status], driver.Exchange(0, Request(type, 0, Range(sector, count, flags)), 1));
        Assert.Equal(before, _disk.Content);
    }

    [Fact]
    public void Unknown_requests_are_unsupported() => Assert.Equal([2], Make().Exchange(0, Request(99, 0), 1));

    [Fact]
    public void Gives_its_name() => Assert.Equal("disk"u8.ToArray(), Make().Exchange(0, Request(8, 0), 21)[..4]);

    [Fact]
    public void A_placeholder_reads_zeros_and_refuses_writes()
    {
        GuestDriver driver = Make(hasStorage: false);
        Assert.Equal(new byte[513], driver.Exchange(0, Request(0, 3), 513));
        Assert.Equal([1], driver.Exchange(0, Request(1, 0, new byte[512]), 1));
    }

    [Fact]
    public void A_request_without_room_for_the_status_stops_the_device()
    {
        GuestDriver driver = Make();
        driver.Add(0, new GuestBuffer(0x80000, 16, false));
        driver.Notify(0);
        Assert.Equal(64u, driver.Read(MmioRegister.Status) & 64);
    }
}
