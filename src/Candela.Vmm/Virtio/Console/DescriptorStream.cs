using Candela.Vmm.Native;

namespace Candela.Vmm.Virtio.Console;

/// <summary>A socket or character device as the host's end of a port.</summary>
internal sealed unsafe class DescriptorStream : IHostStream
{
    // IOV_MAX of Linux.
    private const int VectorsMaximum = 1024;

    /// <summary>Takes a descriptor over and makes it non-blocking.</summary>
    public DescriptorStream(int descriptor)
    {
        Descriptor = descriptor;
        int flags = Errno.Check(Libc.fcntl(descriptor, Linux.F_GETFL, 0), "fcntl");
        Errno.Check(Libc.fcntl(descriptor, Linux.F_SETFL, flags | Linux.O_NONBLOCK), "fcntl");
    }

    /// <summary>Its descriptor.</summary>
    public int Descriptor { get; }

    /// <inheritdoc/>
    public int Read(ReadOnlySpan<IoVector> buffers)
    {
        fixed (IoVector* vectors = buffers)
        {
            nint count = Libc.readv(Descriptor, vectors, Math.Min(buffers.Length, VectorsMaximum));
            return count > 0 ? (int)count : count < 0 && Errno.Last is Linux.EAGAIN or Linux.EINTR ? 0 : -1;
        }
    }

    /// <inheritdoc/>
    public int Write(ReadOnlySpan<IoVector> buffers)
    {
        fixed (IoVector* vectors = buffers)
        {
            nint count = Libc.writev(Descriptor, vectors, Math.Min(buffers.Length, VectorsMaximum));
            return count >= 0 ? (int)count : Errno.Last is Linux.EAGAIN or Linux.EINTR ? 0 : -1;
        }
    }
}
