using Candela.Vmm.Tests.Support;
using Candela.Vmm.Tests.Virtio;
using Candela.Vmm.Virtio;
using Candela.Vmm.Virtio.Balloon;
using Candela.Vmm.Virtio.Block;
using Candela.Vmm.Virtio.Console;
using Candela.Vmm.Virtio.Entropy;
using Candela.Vmm.Virtio.Mmio;
using Candela.Vmm.Virtio.Net;

namespace Candela.Vmm.Tests.Fuzz;

/// <summary>Drivers that do anything: whatever registers and rings hold, a device ends its work and stays within the guest's memory.</summary>
public sealed class HostileDriverTests
{
    private const int OperationsPerInput = 40;

    [Fact]
    public void Block() => Attack(memory => new BlockDevice(memory.Memory, "disk"u8, 1 << 16, isReadOnly: false) { Backend = new MemoryBackend(1 << 16) });

    [Fact]
    public void Console() => Attack(memory =>
    {
        ConsoleDevice device = new(memory.Memory, "port"u8);
        ScriptedHost host = new();
        for (int i = 0; i < 100; i++)
            host.ToGuest.Enqueue((byte)i);
        lock (device)
            device.Connect(host);
        return device;
    });

    [Fact]
    public void Entropy() => Attack(memory => new EntropyDevice(memory.Memory, new Zeros()));

    [Fact]
    public void Net() => Attack(memory =>
    {
        NetDevice device = new(memory.Memory, [2, 0, 0, 0, 0, 1]);
        NetDeviceTests.ScriptedNetwork network = new();
        for (int i = 0; i < 8; i++)
            network.ToGuest.Enqueue(new byte[12 + 700 * i]);
        lock (device)
            device.Connect(network);
        return device;
    });

    [Fact]
    public void Balloon() => Attack(memory => new BalloonDevice(memory.Memory, new BalloonDeviceTests.Released(memory)));

    private static void Attack(Func<TestMemory, VirtioDevice> make)
    {
        using TestMemory memory = new(1 << 20);
        FuzzTime.Run(random =>
        {
            VirtioDevice device = make(memory);
            GuestDriver driver = new(memory, device);
            for (int i = 0; i < OperationsPerInput; i++)
                Step(random, memory, device, driver);
            if (!memory.WallsStand)
                throw new InvalidOperationException("written outside of the guest's memory");
        });
    }

    private static void Step(Random random, TestMemory memory, VirtioDevice device, GuestDriver driver)
    {
        uint queue = (uint)random.Next(device.Queues.Length);
        switch (random.Next(10))
        {
            case 0: // any register
                driver.Write((uint)random.Next(0, 0x200), Number(random));
                break;
            case 1: // a queue register with a plausible value
                driver.Write(MmioRegister.QueueDescLow + (uint)random.Next(0, 10) * 4, Number(random) & 0xFFFF0);
                break;
            case 2: // any width
                driver.Transport.Write((uint)random.Next(0, 0x200), memory.Bytes.Slice(random.Next(1000), random.Next(0, 9)));
                break;
            case 3:
                driver.Transport.Read((uint)random.Next(0, 0x200), stackalloc byte[random.Next(0, 9)]);
                break;
            case 4: // garbage in the rings
                random.NextBytes(memory.Bytes.Slice((int)(GuestDriver.Table(queue) + (ulong)random.Next(0, 0x7000)), random.Next(1, 64)));
                break;
            case 5: // a reset
                driver.Initialize(random.Next(2) == 0 ? 0 : VirtioFeatures.VIRTIO_F_EVENT_IDX);
                break;
            default: // a chain that is nearly right
                int count = random.Next(1, 6);
                for (int i = 0; i < count; i++)
                {
                    ulong address = random.Next(16) == 0 ? Number(random) : (ulong)random.Next(0x80000, 0xF0000);
                    uint length = random.Next(16) == 0 ? Number(random) : (uint)random.Next(0, 2000);
                    driver.Describe(queue, i, address, length, (ushort)((i < count - 1 ? 1 : random.Next(8) == 0 ? 1 : 0) | (i > 0 ? 2 * random.Next(2) : 0) | (random.Next(16) == 0 ? 4 : 0)), (ushort)(random.Next(20) == 0 ? random.Next() : i + 1));
                    if (i == 0 && address < 0xF0000)
                        BlockDeviceTests.Request((uint)random.Next(0, 15), (ulong)random.Next(0, 140)).CopyTo(memory.Bytes[(int)address..]);
                }

                driver.Offer(queue, 0);
                driver.Notify(queue);
                break;
        }
    }

    private static uint Number(Random random) => random.Next(4) switch
    {
        0 => (uint)random.Next(0, 32),
        1 => uint.MaxValue - (uint)random.Next(0, 32),
        2 => 1u << random.Next(32),
        _ => (uint)random.NextInt64(uint.MaxValue),
    };

    private sealed class Zeros : IEntropySource
    {
        public void Fill(Span<byte> target) => target.Clear();
    }
}
