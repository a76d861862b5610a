using Candela.Vmm.Tests.Support;
using Candela.Vmm.Virtio;
using Candela.Vmm.Virtio.Block;
using Candela.Vmm.Virtio.Mmio;

namespace Candela.Vmm.Tests.Virtio;

public sealed class MmioTransportTests : IDisposable
{
    private readonly TestMemory _memory = new();
    private readonly BlockDevice _device;
    private readonly GuestDriver _driver;

    public MmioTransportTests()
    {
        _device = new BlockDevice(_memory.Memory, "disk"u8, 1 << 20, isReadOnly: false);
        _driver = new GuestDriver(_memory, _device);
    }

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void Says_what_it_is()
    {
        Assert.Equal(0x74726976u, _driver.Read(MmioRegister.MagicValue));
        Assert.Equal(2u, _driver.Read(MmioRegister.Version));
        Assert.Equal(2u, _driver.Read(MmioRegister.DeviceID));
        Assert.Equal(15u, _driver.Read(MmioRegister.Status));
        Assert.True(_device.IsActive);
    }

    [Fact]
    public void Features_that_were_not_offered_are_refused()
    {
        _driver.Write(MmioRegister.Status, 0);
        _driver.Write(MmioRegister.Status, 3);
        _driver.Write(MmioRegister.DriverFeaturesSel, 1);
        _driver.Write(MmioRegister.DriverFeatures, 1 | 1 << 30);
        _driver.Write(MmioRegister.Status, 11);
        Assert.Equal(3u, _driver.Read(MmioRegister.Status));
        _driver.Write(MmioRegister.Status, 15);
        Assert.False(_device.IsActive);
    }

    [Fact]
    public void Drivers_without_version_1_are_refused()
    {
        _driver.Write(MmioRegister.Status, 0);
        _driver.Write(MmioRegister.Status, 3);
        _driver.Write(MmioRegister.Status, 11);
        Assert.Equal(3u, _driver.Read(MmioRegister.Status));
    }

    [Fact]
    public void Reset_clears_everything()
    {
        _driver.Write(MmioRegister.Status, 0);
        Assert.False(_device.IsActive);
        Assert.Equal(0u, _driver.Read(MmioRegister.Status));
        Assert.Equal(0u, _driver.Read(MmioRegister.QueueReady));
        Assert.Equal(0u, _driver.Read(MmioRegister.InterruptStatus));
        _driver.Initialize(0);
        Assert.True(_device.IsActive);
    }

    [Theory]
    [InlineData(3, 0x1000u, 0x5000u, 0x7000u)] // not a power of two
    [InlineData(512, 0x1000u, 0x5000u, 0x7000u)] // larger than the maximum
    [InlineData(16, 0x1008u, 0x5000u, 0x7000u)] // table not aligned
    [InlineData(16, 0x1000u, 0x5001u, 0x7000u)] // available ring not aligned
    [InlineData(16, 0x1000u, 0x5000u, 0x7002u)] // used ring not aligned
    [InlineData(16, 0x0FFFF0u, 0x5000u, 0x7000u)] // table beyond the end
    [InlineData(16, 0x1000u, 0xFFFFFFFEu, 0x7000u)] // available ring nowhere
    public void A_queue_that_is_not_allowed_needs_a_reset(int size, uint table, uint available, uint used)
    {
        _driver.Write(MmioRegister.Status, 0);
        _driver.Write(MmioRegister.Status, 3);
        _driver.Write(MmioRegister.DriverFeaturesSel, 1);
        _driver.Write(MmioRegister.DriverFeatures, 1);
        _driver.Write(MmioRegister.Status, 11);
        _driver.Write(MmioRegister.QueueNum, (uint)size);
        _driver.Write(MmioRegister.QueueDescLow, table);
        _driver.Write(MmioRegister.QueueDriverLow, available);
        _driver.Write(MmioRegister.QueueDeviceLow, used);
        _driver.Write(MmioRegister.QueueReady, 1);
        Assert.Equal(0u, _driver.Read(MmioRegister.QueueReady));
        Assert.Equal((uint)DeviceStatus.NeedsReset, _driver.Read(MmioRegister.Status) & (uint)DeviceStatus.NeedsReset);
        _driver.Write(MmioRegister.Status, 15);
        Assert.False(_device.IsActive);
    }

    [Fact]
    public void Queues_and_features_stay_while_in_use()
    {
        _driver.Write(MmioRegister.QueueSel, 0);
        _driver.Write(MmioRegister.QueueDescLow, 0x20);
        _driver.Write(MmioRegister.DriverFeatures, 0);
        Assert.Equal(GuestDriver.Table(0), _device.Queues[0].TableAddress);
        Assert.NotEqual(0ul, _device.Features);
    }

    [Fact]
    public void Accesses_of_other_widths_read_zero_and_write_nothing()
    {
        byte[] narrow = [0xFF, 0xFF];
        _driver.Transport.Read(MmioRegister.MagicValue, narrow);
        Assert.Equal([0, 0], narrow);
        _driver.Transport.Write(MmioRegister.Status, new byte[8]);
        Assert.Equal(15u, _driver.Read(MmioRegister.Status));
    }

    [Fact]
    public void State_survives_saving_and_loading()
    {
        Candela.Vmm.State.StateWriter saved = new();
        _driver.Transport.Save(saved);
        BlockDevice other = new(_memory.Memory, "disk"u8, 1 << 20, isReadOnly: false);
        MmioTransport transport = new(other, new CountingLine());
        Candela.Vmm.State.StateReader reader = new(saved.Written);
        transport.Load(ref reader);
        Assert.Equal(0, reader.Remaining);
        Assert.True(other.IsActive);
        Candela.Vmm.State.StateWriter again = new();
        transport.Save(again);
        Assert.Equal(saved.Written.ToArray(), again.Written.ToArray());
    }
}
