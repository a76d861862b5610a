using System.Text;
using Candela.Vmm.Legacy;
using Candela.Vmm.Tests.Support;

namespace Candela.Vmm.Tests.Legacy;

public sealed class Serial8250Tests
{
    private readonly CountingLine _line = new();
    private readonly Serial8250 _port;

    public Serial8250Tests() => _port = new Serial8250(_line);

    [Fact]
    public void Keeps_what_is_sent()
    {
        foreach (byte b in "hello"u8)
            _port.Write(0, b);
        byte[] output = new byte[100];
        Assert.Equal("hello", Encoding.ASCII.GetString(output, 0, _port.CopyOutput(output)));
    }

    [Fact]
    public void Keeps_the_end_of_long_output()
    {
        for (int i = 0; i < Serial8250.KeptBytes + 10; i++)
            _port.Write(0, (byte)(i < Serial8250.KeptBytes ? 'a' : 'z'));
        byte[] output = new byte[Serial8250.KeptBytes];
        Assert.Equal(output.Length, _port.CopyOutput(output));
        Assert.Equal(10, output.AsSpan().Count((byte)'z'));
        Assert.Equal((byte)'z', output[^1]);
    }

    [Fact]
    public void The_divisor_hides_behind_the_data_register()
    {
        _port.Write(3, 0x80);
        _port.Write(0, 12);
        _port.Write(1, 1);
        Assert.Equal((12, 1), (_port.Read(0), _port.Read(1)));
        _port.Write(3, 3);
        Assert.Equal((0, 0), (_port.Read(0), _port.Read(1)));
    }

    [Fact]
    public void Interrupts_when_empty_if_asked_to()
    {
        _port.Write(0, 1);
        Assert.Equal(0, _line.Count);
        _port.Write(1, 2);
        Assert.Equal(1, _line.Count);
        Assert.Equal(2, _port.Read(2));
        Assert.Equal(1, _port.Read(2));
        _port.Write(0, 1);
        Assert.Equal(2, _line.Count);
    }

    [Fact]
    public void Is_recognized_by_scratch_and_modem_registers()
    {
        _port.Write(7, 0x5A);
        Assert.Equal(0x5A, _port.Read(7));
        Assert.Equal(0x60, _port.Read(5) & 0x60);
    }
}
