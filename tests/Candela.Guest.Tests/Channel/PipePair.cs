using Candela.Guest.Native;

namespace Candela.Guest.Tests.Channel;

/// <summary>A pipe that never blocks, in place of the port or of a process's streams.</summary>
internal sealed unsafe class PipePair : IDisposable
{
    public PipePair()
    {
        var ends = stackalloc int[2];
        Errno.Check(Libc.pipe2(ends, Linux.O_CLOEXEC | Linux.O_NONBLOCK), "pipe2");
        (ReadEnd, WriteEnd) = (ends[0], ends[1]);
    }

    public int ReadEnd { get; private set; }

    public int WriteEnd { get; private set; }

    /// <summary>Writes as much as the pipe takes.</summary>
    public int Write(ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
            return (int)Libc.write(WriteEnd, bytes, (nuint)data.Length);
    }

    /// <summary>Everything that is there now.</summary>
    public byte[] Read()
    {
        var all = new List<byte>();
        var part = new byte[65536];
        fixed (byte* bytes = part)
        {
            nint count;
            while ((count = Libc.read(ReadEnd, bytes, (nuint)part.Length)) > 0)
                all.AddRange(part.AsSpan(0, (int)count));
        }
        return [.. all];
    }

    /// <summary>Somebody else closes this end.</summary>
    public int TakeReadEnd()
    {
        var fd = ReadEnd;
        ReadEnd = -1;
        return fd;
    }

    /// <summary>Somebody else closes this end.</summary>
    public int TakeWriteEnd()
    {
        var fd = WriteEnd;
        WriteEnd = -1;
        return fd;
    }

    public void CloseReadEnd() => _ = Libc.close(TakeReadEnd());

    public void CloseWriteEnd() => _ = Libc.close(TakeWriteEnd());

    public void Dispose()
    {
        if (ReadEnd >= 0)
            CloseReadEnd();
        if (WriteEnd >= 0)
            CloseWriteEnd();
    }
}
