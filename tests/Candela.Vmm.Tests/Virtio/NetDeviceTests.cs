using System.Buffers.Binary;
using Candela.Vmm.Native;
using Candela.Vmm.Tests.Support;
using Candela.Vmm.Virtio.Mmio;
using Candela.Vmm.Virtio.Net;

namespace Candela.Vmm.Tests.Virtio;

public sealed class NetDeviceTests : IDisposable
{
    private readonly TestMemory _memory = new();
    private readonly ScriptedNetwork _network = new();
    private readonly NetDevice _device;

    public NetDeviceTests() => _device = new NetDevice(_memory.Memory, [2, 0, 0, 0, 0, 7]);

    public void Dispose() => _memory.Dispose();

    private GuestDriver Make(ulong unwanted = 0)
    {
        GuestDriver driver = new(_memory, _device, unwanted);
        lock (_device)
            _device.Connect(_network);
        return driver;
    }

    private void Arrive(params byte[][] frames)
    {
        foreach (byte[] frame in frames)
            _network.ToGuest.Enqueue(frame);
        lock (_device)
            _device.Pump();
    }

    private static byte[] Frame(int lengthBytes)
    {
        byte[] frame = new byte[lengthBytes];
        Random.Shared.NextBytes(frame);
        return frame;
    }

    [Fact]
    public void Tells_address_and_link()
    {
        GuestDriver driver = new(_memory, _device);
        Assert.Equal(0x02u, driver.Read(MmioRegister.Config));
        Assert.Equal(0x0000_0700u, driver.Read(MmioRegister.Config + 4));
        uint generation = driver.Read(MmioRegister.ConfigGeneration);
        lock (_device)
            _device.Connect(_network);
        Assert.Equal(0x0001_0700u, driver.Read(MmioRegister.Config + 4));
        Assert.NotEqual(generation, driver.Read(MmioRegister.ConfigGeneration));
        Assert.Equal(2u, driver.Read(MmioRegister.InterruptStatus));
    }

    [Fact]
    public void Sends_frames_with_their_header()
    {
        GuestDriver driver = Make();
        byte[] frame = Frame(100);
        driver.Exchange(1, frame, 0);
        Assert.Equal(frame, Assert.Single(_network.FromGuest));
        driver.Exchange(1, new byte[12], 0); // a header without a frame
        Assert.Single(_network.FromGuest);
    }

    [Fact]
    public void Receives_frames_and_says_in_how_many_buffers()
    {
        GuestDriver driver = Make();
        driver.Add(0, new GuestBuffer(0x90000, 2000, true));
        driver.Notify(0);
        byte[] frame = Frame(512);
        Arrive(frame);
        Assert.Equal(512u, driver.TakeUsed(0)?.Length);
        Assert.Equal(1, BinaryPrimitives.ReadUInt16LittleEndian(driver.At(0x90000 + 10, 2)));
        Assert.Equal(frame.AsSpan(12).ToArray(), driver.At(0x90000 + 12, 500).ToArray());
    }

    [Fact]
    public void Large_frames_are_spread_over_merged_buffers()
    {
        GuestDriver driver = Make();
        byte[] frame = Frame(2500);
        for (int i = 0; i < 2; i++)
            driver.Add(0, new GuestBuffer(0x90000 + (ulong)i * 0x1000, 1000, true));
        driver.Notify(0);
        Arrive(frame);
        Assert.Null(driver.TakeUsed(0)); // it waits for more buffers
        driver.Add(0, new GuestBuffer(0x92000, 1000, true));
        driver.Notify(0);
        Assert.Equal([1000u, 1000u, 500u], new[] { driver.TakeUsed(0), driver.TakeUsed(0), driver.TakeUsed(0) }.Select(used => used?.Length ?? 0));
        Assert.Equal(3, BinaryPrimitives.ReadUInt16LittleEndian(driver.At(0x90000 + 10, 2)));
        byte[] received = [.. driver.At(0x90000, 1000), .. driver.At(0x91000, 1000), .. driver.At(0x92000, 500)];
        Assert.Equal(frame.AsSpan(12).ToArray(), received.AsSpan(12).ToArray());
        Assert.Null(driver.TakeUsed(0));
    }

    [Fact]
    public void Without_merging_a_frame_that_is_too_large_is_dropped()
    {
        GuestDriver driver = Make(NetBits.VIRTIO_NET_F_MRG_RXBUF);
        driver.Add(0, new GuestBuffer(0x90000, 1000, true));
        driver.Notify(0);
        Arrive(Frame(1001), Frame(1000));
        Assert.Equal(1000u, driver.TakeUsed(0)?.Length);
        Assert.Null(driver.TakeUsed(0));
    }

    [Fact]
    public void Offloads_are_what_the_driver_accepted()
    {
        Make();
        Assert.Equal((true, true, true), _network.Offloads);
        Make(NetBits.VIRTIO_NET_F_GUEST_CSUM | NetBits.VIRTIO_NET_F_GUEST_TSO6);
        Assert.Equal((false, true, false), _network.Offloads);
    }

    internal sealed unsafe class ScriptedNetwork : INetBackend
    {
        public Queue<byte[]> ToGuest { get; } = new();

        public List<byte[]> FromGuest { get; } = [];

        public (bool Checksum, bool LargeIpv4, bool LargeIpv6) Offloads { get; private set; }

        public int Receive(Span<byte> frame)
        {
            if (!ToGuest.TryDequeue(out byte[]? next))
                return 0;
            next.CopyTo(frame);
            return next.Length;
        }

        public void Send(ReadOnlySpan<IoVector> frame)
        {
            List<byte> bytes = [];
            foreach (IoVector part in frame)
                bytes.AddRange(new ReadOnlySpan<byte>(part.Start, (int)part.Length));
            FromGuest.Add([.. bytes]);
        }

        public void SetOffloads(bool checksum, bool largeIpv4, bool largeIpv6) => Offloads = (checksum, largeIpv4, largeIpv6);
    }
}
