using System.Buffers.Binary;
using System.Text;
using Candela.Vmm.Tests.Support;
using Candela.Vmm.Virtio.Console;

namespace Candela.Vmm.Tests.Virtio;

public sealed class ConsoleDeviceTests : IDisposable
{
    private readonly TestMemory _memory = new();
    private readonly ConsoleDevice _device;
    private readonly GuestDriver _driver;

    public ConsoleDeviceTests()
    {
        _device = new ConsoleDevice(_memory.Memory, "candela.agent.0"u8);
        _driver = new GuestDriver(_memory, _device);
    }

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void Announces_its_port_by_name_and_the_host_when_it_comes()
    {
        GiveControlBuffers(8);
        Tell(0, 1);
        Assert.Equal((1, 1, ""), NextControl());
        Tell(3, 1);
        Assert.Equal((7, 1, "candela.agent.0"), NextControl());
        Assert.Null(_driver.TakeUsed(2));
        Connect(new ScriptedHost());
        Assert.Equal((6, 1, ""), NextControl());
    }

    [Fact]
    public void Carries_bytes_both_ways()
    {
        ScriptedHost host = Open();
        Assert.Empty(_driver.Exchange(1, "from the guest"u8, 0));
        Assert.Equal("from the guest", Encoding.ASCII.GetString([.. host.FromGuest]));

        _driver.Add(0, new GuestBuffer(0x90000, 8, true));
        _driver.Add(0, new GuestBuffer(0x91000, 8, true));
        _driver.Notify(0);
        Assert.Null(_driver.TakeUsed(0));
        foreach (byte b in "from host"u8)
            host.ToGuest.Enqueue(b);
        Pump();
        Assert.Equal(8u, _driver.TakeUsed(0)?.Length);
        Assert.Equal(1u, _driver.TakeUsed(0)?.Length);
        Assert.Equal("from hos", Encoding.ASCII.GetString(_driver.At(0x90000, 8)));
    }

    [Fact]
    public void A_host_that_reads_slowly_loses_nothing()
    {
        ScriptedHost host = Open();
        host.Room = 3;
        "slow host"u8.CopyTo(_driver.At(0x90000, 9));
        _driver.Add(1, new GuestBuffer(0x90000, 9, false));
        _driver.Notify(1);
        Assert.Null(_driver.TakeUsed(1));
        host.Room = 100;
        Pump();
        Assert.NotNull(_driver.TakeUsed(1));
        Assert.Equal("slow host", Encoding.ASCII.GetString([.. host.FromGuest]));
    }

    [Fact]
    public void Host_bytes_wait_for_the_guest_to_open_the_port()
    {
        GiveControlBuffers(8);
        _driver.Add(0, new GuestBuffer(0x90000, 8, true));
        Tell(0, 1);
        Tell(3, 1);
        ScriptedHost host = new();
        host.ToGuest.Enqueue(1);
        Connect(host);
        Assert.Null(_driver.TakeUsed(0));
        Tell(6, 1);
        Assert.Equal(1u, _driver.TakeUsed(0)?.Length);
    }

    [Fact]
    public void A_host_that_leaves_and_comes_back_is_announced_as_closed_and_open()
    {
        Open();
        lock (_device)
            _device.Disconnect();
        Assert.Equal((6, 0, ""), NextControl());
        Connect(new ScriptedHost());
        Assert.Equal((6, 1, ""), NextControl());
    }

    [Fact]
    public void A_hang_up_is_noticed_while_writing()
    {
        ScriptedHost host = Open();
        host.IsGone = true;
        _driver.Exchange(1, "lost"u8, 0);
        Assert.Equal((6, 0, ""), NextControl());
    }

    [Fact]
    public void Guests_that_write_without_a_host_are_not_held_up() => Assert.Empty(_driver.Exchange(1, "nobody hears"u8, 0));

    [Fact]
    public void Without_control_buffers_messages_wait()
    {
        Tell(0, 1);
        Tell(3, 1);
        Connect(new ScriptedHost());
        GiveControlBuffers(8);
        Assert.Equal([1, 7, 6], new[] { NextControl(), NextControl(), NextControl() }.Select(message => message.Event));
    }

    private ScriptedHost Open()
    {
        GiveControlBuffers(8);
        Tell(0, 1);
        Tell(3, 1);
        Tell(6, 1);
        ScriptedHost host = new();
        Connect(host);
        for (int i = 0; i < 3; i++)
            NextControl();
        return host;
    }

    private void Connect(ScriptedHost host)
    {
        lock (_device)
            _device.Connect(host);
    }

    private void Pump()
    {
        lock (_device)
            _device.Pump();
    }

    private void GiveControlBuffers(int count)
    {
        for (int i = 0; i < count; i++)
            _driver.Add(2, new GuestBuffer(0xA0000 + (ulong)i * 64, 64, true));
        _driver.Notify(2);
    }

    private void Tell(ushort what, ushort value)
    {
        byte[] message = new byte[8];
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), what);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(6), value);
        _driver.Exchange(3, message, 0);
    }

    private (int Event, int Value, string Name) NextControl()
    {
        (uint head, uint length) = Assert.NotNull(_driver.TakeUsed(2));
        ReadOnlySpan<byte> message = _driver.At(0xA0000 + head * 64, (int)length);
        return (BinaryPrimitives.ReadUInt16LittleEndian(message[4..]), BinaryPrimitives.ReadUInt16LittleEndian(message[6..]), Encoding.ASCII.GetString(message[8..]));
    }
}
