using Candela.Vmm.Kvm;
using Candela.Vmm.State;
using Candela.Vmm.Tests.Support;
using Candela.Vmm.Virtio;
using Candela.Vmm.Virtio.Block;
using Candela.Vmm.Virtio.Console;
using Candela.Vmm.Virtio.Mmio;

namespace Candela.Vmm.Tests.Fuzz;

/// <summary>Device state that was changed, with a checksum that fits: it is taken or refused, and the devices stay within the guest's memory.</summary>
public sealed class StateFuzzTests
{
    [Fact]
    public void Devices()
    {
        using TestMemory memory = new();
        byte[] good = Save(memory);
        FuzzTime.Run(random =>
        {
            byte[] bytes = Change(random, good);
            MmioTransport[] devices = Make(memory);
            try
            {
                StateReader state = new(bytes);
                foreach (MmioTransport device in devices)
                    device.Load(ref state);
            }
            catch (StateException)
            {
                return;
            }

            foreach (MmioTransport device in devices)
            {
                for (int queue = 0; queue < device.Device.Queues.Length; queue++)
                    device.Device.RunQueue(queue);
            }

            if (!memory.WallsStand)
                throw new InvalidOperationException("written outside of the guest's memory");
        });
    }

    [Fact]
    public void VCpus()
    {
        StateWriter saved = new();
        new VCpuState().Save(saved);
        byte[] good = [8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. saved.Written[4..]];
        FuzzTime.Run(random =>
        {
            StateReader state = new(Change(random, good));
            try
            {
                VCpuState.Load(ref state);
            }
            catch (StateException)
            {
                // Refused.
            }
        });
    }

    private static byte[] Change(Random random, byte[] good)
    {
        byte[] bytes = good[..(random.Next(8) == 0 ? random.Next(good.Length) : good.Length)];
        for (int i = random.Next(1, 5); i > 0 && bytes.Length > 0; i--)
            bytes[random.Next(bytes.Length)] = random.Next(3) switch { 0 => 0, 1 => 0xff, _ => (byte)random.Next(256) };
        return bytes;
    }

    private static byte[] Save(TestMemory memory)
    {
        StateWriter state = new();
        foreach (MmioTransport device in Make(memory))
        {
            _ = new GuestDriver(memory, device.Device);
            device.Device.Transport = device;
            device.Save(state);
        }

        return state.Written.ToArray();
    }

    private static MmioTransport[] Make(TestMemory memory)
    {
        VirtioDevice[] devices = [new ConsoleDevice(memory.Memory, "port"u8), new BlockDevice(memory.Memory, "disk"u8, 1 << 16, isReadOnly: false) { Backend = new MemoryBackend(1 << 16) }];
        return Array.ConvertAll(devices, device => new MmioTransport(device, new CountingLine()));
    }
}
