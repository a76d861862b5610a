using Candela.Vmm.Tests.Support;
using Candela.Vmm.Virtio.Block;
using Candela.Vmm.Virtio.Console;

namespace Candela.Vmm.Tests.Virtio;

/// <summary>The I/O paths never allocate: no garbage collection stops a running guest.</summary>
public sealed class AllocationTests : IDisposable
{
    private readonly TestMemory _memory = new();

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void Block_requests_allocate_nothing()
    {
        BlockDevice device = new(_memory.Memory, "disk"u8, 1 << 20, isReadOnly: false) { Backend = new MemoryBackend(1 << 20) };
        GuestDriver driver = new(_memory, device);
        BlockDeviceTests.Request(0, 3).CopyTo(driver.At(0x80000, 16));
        Assert.Equal(0, Measure(() =>
        {
            driver.Add(0, new GuestBuffer(0x80000, 16, false), new GuestBuffer(0x81000, 4096, true), new GuestBuffer(0x83000, 1, true));
            driver.Notify(0);
            driver.TakeUsed(0);
        }));
    }

    [Fact]
    public void Transmitted_bytes_allocate_nothing()
    {
        ConsoleDevice device = new(_memory.Memory, "port"u8);
        GuestDriver driver = new(_memory, device);
        lock (device)
            device.Connect(new Sink());
        Assert.Equal(0, Measure(() =>
        {
            driver.Add(1, new GuestBuffer(0x80000, 512, false));
            driver.Notify(1);
            driver.TakeUsed(1);
        }));
    }

    private static long Measure(Action work)
    {
        // The least of several rounds: the runtime itself allocates now and then while it compiles.
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 2000; i++)
                work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    private sealed class Sink : IHostStream
    {
        public int Read(ReadOnlySpan<Candela.Vmm.Native.IoVector> buffers) => 0;

        public int Write(ReadOnlySpan<Candela.Vmm.Native.IoVector> buffers)
        {
            nuint count = 0;
            foreach (Candela.Vmm.Native.IoVector buffer in buffers)
                count += buffer.Length;
            return (int)count;
        }
    }
}
