using System.Buffers.Binary;
using Candela.Vmm.Tests.Support;
using Candela.Vmm.Virtio.Balloon;
using Candela.Vmm.Virtio.Mmio;

namespace Candela.Vmm.Tests.Virtio;

public sealed unsafe class BalloonDeviceTests : IDisposable
{
    private readonly TestMemory _memory = new();
    private readonly Released _released;
    private readonly BalloonDevice _device;
    private readonly GuestDriver _driver;

    public BalloonDeviceTests()
    {
        _released = new Released(_memory);
        _device = new BalloonDevice(_memory.Memory, _released);
        _driver = new GuestDriver(_memory, _device);
    }

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void Tells_the_wish_and_hears_the_state()
    {
        lock (_device)
            _device.SetWantedPages(77);
        Assert.Equal(77u, _driver.Read(MmioRegister.Config));
        Assert.Equal(2u, _driver.Read(MmioRegister.InterruptStatus));
        _driver.Write(MmioRegister.Config + 4, 12);
        Assert.Equal(12u, _device.ActualPages);
    }

    [Fact]
    public void Inflating_gives_neighbours_back_together()
    {
        Inflate(0x90, 0x91, 0x92, 0xA0, 0x95);
        Assert.Equal([(0x90000, 0x3000), (0xA0000, 0x1000), (0x95000, 0x1000)], _released.Ranges);
    }

    [Fact]
    public void Pages_outside_of_memory_are_ignored()
    {
        Inflate(0x100, uint.MaxValue, 0xFF, 0x100);
        Assert.Empty(_released.Ranges);
        Inflate(0xFE);
        Assert.Equal((0xFE000, 0x1000), Assert.Single(_released.Ranges));
    }

    [Fact]
    public void Deflating_gives_nothing_back()
    {
        _driver.Exchange(1, [0x90, 0, 0, 0], 0);
        Assert.Empty(_released.Ranges);
    }

    [Fact]
    public void Reported_pages_are_given_back_as_whole_pages()
    {
        _driver.Add(2, new GuestBuffer(0x90000, 0x4000, true), new GuestBuffer(0xA0800, 0x1000, true), new GuestBuffer(0xB0800, 0x2000, true));
        _driver.Notify(2);
        Assert.NotNull(_driver.TakeUsed(2));
        Assert.Equal([(0x90000, 0x4000), (0xB1000, 0x1000)], _released.Ranges);
    }

    private void Inflate(params uint[] pages)
    {
        byte[] request = new byte[4 * pages.Length];
        for (int i = 0; i < pages.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(4 * i), pages[i]);
        _driver.Exchange(0, request, 0);
    }

    internal sealed class Released(TestMemory memory) : IMemoryReclaim
    {
        public List<(int Start, int Length)> Ranges { get; } = [];

        public void Release(byte* start, nuint lengthBytes) => Ranges.Add(((int)(start - memory.Memory.Host), (int)lengthBytes));
    }
}
