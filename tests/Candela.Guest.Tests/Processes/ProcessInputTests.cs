using Candela.Guest.Channel;
using Candela.Guest.Loop;
using Candela.Guest.Native;
using Candela.Guest.Processes;
using Candela.Guest.Protocol;
using Candela.Guest.Tests.Channel;

namespace Candela.Guest.Tests.Processes;

public sealed class ProcessInputTests : IDisposable
{
    private readonly EventLoop _loop = new();
    private readonly FrameSender _sender = new();
    private readonly PipePair _pipe = new();
    private readonly ProcessInput _input;

    public ProcessInputTests()
    {
        _ = Libc.signal(Linux.SIGPIPE, 1);
        _input = new ProcessInput(_loop, _sender, 1, _pipe.TakeWriteEnd(), isTerminal: false);
    }

    public void Dispose()
    {
        _input.Dispose();
        _pipe.Dispose();
    }

    [Fact]
    public void Passes_input_on_and_grants_as_much_again()
    {
        _input.Take("hello"u8);
        Assert.Equal("hello"u8, _pipe.Read());
        Assert.Equal([(FrameType.InputCredit, 5UL)], Sent());
    }

    [Fact]
    public void Holds_a_window_for_a_process_that_does_not_read_and_grants_as_it_does()
    {
        var all = new byte[ProtocolLimits.InputWindowBytes * 3];
        new Random(3).NextBytes(all);
        var received = new List<byte>();
        var credit = ProtocolLimits.InputWindowBytes;
        var sent = 0;
        while (received.Count < all.Length)
        {
            var part = Math.Min(credit, all.Length - sent);
            if (part > 0)
                _input.Take(all.AsSpan(sent, part));
            sent += part;
            credit -= part;
            foreach (var (type, bytes) in Sent())
            {
                Assert.Equal(FrameType.InputCredit, type);
                credit += (int)bytes;
            }
            Assert.InRange(credit, 0, ProtocolLimits.InputWindowBytes);
            if (credit == 0 || sent == all.Length)
                received.AddRange(_pipe.Read());
            _loop.Turn(0);
        }
        Assert.Equal(all, received);
    }

    [Fact]
    public void Drops_input_beyond_the_window()
    {
        Fill();
        _input.Take(new byte[ProtocolLimits.InputWindowBytes]);
        Sent();
        _input.Take("too much"u8);
        _input.AnnounceRoom();
        Assert.Empty(Sent());
    }

    [Fact]
    public void Ends_the_input_behind_what_is_held()
    {
        Fill();
        _input.Take("last"u8);
        _input.Close();
        _input.Take("after the end"u8);
        Assert.DoesNotContain((byte)'l', _pipe.Read());
        _loop.Turn(0);
        Assert.Equal("last"u8, _pipe.Read());
        Assert.Equal(0, ReadOne());
    }

    [Fact]
    public void Tells_that_nobody_reads()
    {
        _pipe.CloseReadEnd();
        _input.Take("hello"u8);
        Assert.Equal([(FrameType.InputGone, 0UL)], Sent());
        _input.Take("more"u8);
        _input.AnnounceRoom();
        Assert.Empty(Sent());
    }

    [Fact]
    public void Tells_a_new_host_the_room_there_is()
    {
        Fill();
        _input.Take(new byte[1000]);
        Sent();
        _input.AnnounceRoom();
        Assert.Equal([(FrameType.InputCredit, ProtocolLimits.InputWindowBytes - 1000UL)], Sent());
    }

    /// <summary>Fills the pipe to the last byte, so that from now on input is held.</summary>
    private void Fill()
    {
        var page = new byte[4096];
        do
            _input.Take(page);
        while (Sent().Count > 0);
        DropHeld();
    }

    /// <summary>Lets one page go, so that exactly what was held is in the pipe, and the pipe is full again.</summary>
    private void DropHeld()
    {
        var page = new byte[4096];
        unsafe
        {
            fixed (byte* bytes = page)
                Assert.Equal(page.Length, Libc.read(_pipe.ReadEnd, bytes, (nuint)page.Length));
        }
        _loop.Turn(0);
        Assert.Equal([(FrameType.InputCredit, 4096UL)], Sent());
    }

    private unsafe int ReadOne()
    {
        byte one;
        return (int)Libc.read(_pipe.ReadEnd, &one, 1);
    }

    private List<(FrameType Type, ulong Position)> Sent() => [.. Frames.Of(_sender).Select(f => (f.Header.Type, f.Header.Position))];
}
