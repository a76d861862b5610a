namespace Candela.Vmm.Native;

/// <summary>A file mapped for reading.</summary>
internal sealed unsafe class FileMapping : IDisposable
{
    private readonly void* _start;

    /// <summary>Maps the whole of an open file, which must not be empty and not shrink.</summary>
    /// <exception cref="NativeException">It cannot be mapped.</exception>
    public FileMapping(int descriptor, string what)
    {
        long length = Libc.lseek(descriptor, 0, Linux.SEEK_END);
        if (length is <= 0 or > int.MaxValue)
            throw new NativeException($"{what} (descriptor {descriptor}) is empty, larger than 2 GiB or not a file", length < 0 ? Errno.Last : 0);
        _start = Libc.mmap(null, (nuint)length, Linux.PROT_READ, Linux.MAP_PRIVATE, descriptor, 0);
        if (_start == (void*)-1)
            throw new NativeException($"mapping {what} (descriptor {descriptor})", Errno.Last);
        LengthBytes = (int)length;
    }

    /// <summary>Size of the file.</summary>
    public int LengthBytes { get; }

    /// <summary>Its bytes.</summary>
    public ReadOnlySpan<byte> Bytes => new(_start, LengthBytes);

    /// <inheritdoc/>
    public void Dispose() => _ = Libc.munmap(_start, (nuint)LengthBytes);
}
