using Candela.Vmm.Tests.Support;
using Candela.Vmm.Virtio.Entropy;

namespace Candela.Vmm.Tests.Virtio;

public sealed class EntropyDeviceTests : IDisposable
{
    private readonly TestMemory _memory = new();

    public void Dispose() => _memory.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(64, 64)]
    [InlineData(5000, 256)]
    public void Fills_what_was_asked_for_up_to_a_limit(int asked, int given)
    {
        GuestDriver driver = new(_memory, new EntropyDevice(_memory.Memory, new Sevens()));
        driver.Add(0, new GuestBuffer(0x90000, asked, true));
        driver.Notify(0);
        Assert.Equal((uint)given, driver.TakeUsed(0)?.Length);
        Assert.Equal(given, driver.At(0x90000, 6000).Count((byte)7));
    }

    private sealed class Sevens : IEntropySource
    {
        public void Fill(Span<byte> target) => target.Fill(7);
    }
}
