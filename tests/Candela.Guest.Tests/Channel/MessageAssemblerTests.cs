using Candela.Guest.Channel;
using Candela.Guest.Protocol;

namespace Candela.Guest.Tests.Channel;

public class MessageAssemblerTests
{
    private readonly MessageAssembler _parts = new();

    [Fact]
    public void Hands_a_message_of_one_part_through() => Assert.Equal("ab", Add(1, more: false, "ab"));

    [Fact]
    public void Puts_parts_together()
    {
        Assert.Null(Add(1, more: true, "ab"));
        Assert.Null(Add(1, more: true, "cd"));
        Assert.Equal("abcdef", Add(1, more: false, "ef"));
        Assert.Equal("g", Add(1, more: false, "g"));
    }

    [Fact]
    public void Drops_what_was_begun_when_another_request_comes()
    {
        Assert.Null(Add(1, more: true, "ab"));
        Assert.Equal("cd", Add(2, more: false, "cd"));
        Assert.Equal("ef", Add(1, more: false, "ef"));
    }

    [Fact]
    public void Refuses_a_message_that_is_too_large()
    {
        var part = new string('x', ProtocolLimits.DataFrameBytes);
        for (var i = 0; i < ProtocolLimits.MessageBytes / ProtocolLimits.DataFrameBytes; i++)
            Assert.Null(Add(1, more: true, part));
        Assert.Throws<MalformedMessageException>(() => Add(1, more: true, part));
        Assert.Equal("a", Add(1, more: false, "a"));
    }

    private string? Add(uint request, bool more, string text)
    {
        ReadOnlySpan<byte> payload = System.Text.Encoding.ASCII.GetBytes(text);
        var header = new FrameHeader(FrameType.Start, more ? FrameHeader.MoreFlag : (byte)0, payload.Length, 0, request, 0);
        return _parts.Add(header, ref payload) ? System.Text.Encoding.ASCII.GetString(payload) : null;
    }
}
