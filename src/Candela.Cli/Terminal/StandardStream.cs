using System.Runtime.InteropServices;

namespace Candela.Cli.Terminal;

/// <summary>
/// Standard input, output or error as plain bytes. System.Console's streams edit lines when the input is a terminal
/// and touch the terminal's settings: both wrong for a program that hands the terminal to a container.
/// </summary>
internal sealed unsafe class StandardStream(int fd) : Stream
{
    public static readonly StandardStream Input = new(0);
    public static readonly StandardStream Output = new(1);
    public static readonly StandardStream Error = new(2);

    public bool IsTerminal => Libc.isatty(fd) == 1;

    public override bool CanRead => fd == 0;

    public override bool CanSeek => false;

    public override bool CanWrite => fd != 0;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> destination)
    {
        while (true)
        {
            nint count;
            fixed (byte* bytes = destination)
                count = Libc.read(fd, bytes, destination.Length);
            if (count >= 0)
                return (int)count;
            WaitOrThrow(Libc.POLLIN);
        }
    }

    public override void Write(ReadOnlySpan<byte> source)
    {
        while (source.Length > 0)
        {
            nint count;
            fixed (byte* bytes = source)
                count = Libc.write(fd, bytes, source.Length);
            if (count >= 0)
                source = source[(int)count..];
            else
                WaitOrThrow(Libc.POLLOUT);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Interrupted: again. A descriptor that somebody made non-blocking: wait. Else: the error.</summary>
    private void WaitOrThrow(short events)
    {
        int error = Marshal.GetLastPInvokeError();
        if (error == Libc.EINTR)
            return;
        if (error != Libc.EAGAIN)
            throw new StandardStreamException(error, fd);
        var poll = new Libc.PollFd { Fd = fd, Events = events };
        Libc.poll(&poll, 1, -1);
    }
}

/// <summary>Standard input, output or error failed.</summary>
internal sealed class StandardStreamException(int error, int fd)
    : IOException($"standard {(fd switch { 0 => "input", 1 => "output", _ => "error" })}: {Marshal.GetPInvokeErrorMessage(error)}")
{
    /// <summary>The reader has gone (for example <c>candela logs … | head</c>): nothing to report.</summary>
    public bool IsBrokenPipe => error == Libc.EPIPE;
}
