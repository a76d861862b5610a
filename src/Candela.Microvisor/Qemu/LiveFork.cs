using System.Globalization;
using System.Runtime.InteropServices;
using Candela.Microvisor.Native;
using Candela.Model;
using Microsoft.Win32.SafeHandles;
using static Candela.Microvisor.Native.Libc;

namespace Candela.Microvisor.Qemu;

/// <summary>
/// Reads the memory of a running VM that maps a base file copy-on-write: the base is copied while the VM runs, and only its private pages
/// while it stands still.
/// </summary>
internal sealed class LiveFork : IDisposable
{
    private const ulong PresentBit = 1ul << 63, SwappedBit = 1ul << 62, FileBit = 1ul << 61;
    private const int BatchPages = 256;

    private readonly int _pid;
    private readonly SafeFileHandle _base;
    private readonly SafeFileHandle _pageMap;
    private readonly long _address;
    private readonly long _size;

    private LiveFork(int pid, long address, long size, SafeFileHandle @base, SafeFileHandle pageMap)
    {
        _pid = pid;
        _address = address;
        _size = size;
        _base = @base;
        _pageMap = pageMap;
    }

    /// <summary>Finds the guest's memory in its VMM.</summary>
    public static LiveFork Open(int pid, long size)
    {
        SafeFileHandle file = Own(open($"/proc/{pid}/fd/{CommandLine.MemoryDescriptor}", O_RDONLY | O_CLOEXEC, 0), "opening the guest's base memory");
        try
        {
            foreach (string line in File.ReadLines($"/proc/{pid}/maps"))
            {
                string[] fields = line.Split(' ', 6);
                long[] range = [.. fields[0].Split('-').Select(a => long.Parse(a, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
                if (fields.Length == 6 && fields[5].Contains("memfd:candela-", StringComparison.Ordinal) && range[1] - range[0] == size)
                    return new LiveFork(pid, range[0], size, file, File.OpenHandle($"/proc/{pid}/pagemap"));
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }

        file.Dispose();
        throw new CandelaException(ErrorCode.Internal, $"the memory of VMM {pid} cannot be found");
    }

    /// <summary>Copies the base; the VM may run.</summary>
    public void CopyBase(SafeFileHandle target, CancellationToken cancellationToken) => MemoryFile.CopyPages(_base, target, cancellationToken);

    /// <summary>Copies the pages that the VM has changed; it must stand still.</summary>
    /// <returns>Bytes copied.</returns>
    public unsafe long CopyPrivatePages(SafeFileHandle target)
    {
        int pages = (int)(_size / MemoryFile.PageBytes);
        ulong[] map = new ulong[pages];
        MemoryFile.ReadExactly(_pageMap, MemoryMarshal.AsBytes(map.AsSpan()), _address / MemoryFile.PageBytes * sizeof(ulong));
        byte[] buffer = GC.AllocateUninitializedArray<byte>(BatchPages * MemoryFile.PageBytes);
        long copied = 0;
        fixed (byte* bytes = buffer)
        {
            for (int page = 0; page < pages;)
            {
                if (!IsPrivate(map[page]))
                {
                    page++;
                    continue;
                }

                int first = page;
                while (page < pages && page - first < BatchPages && IsPrivate(map[page]))
                    page++;
                int length = (page - first) * MemoryFile.PageBytes;
                long offset = (long)first * MemoryFile.PageBytes;
                var local = new Iovec { Base = bytes, Length = (nuint)length };
                var remote = new Iovec { Base = (void*)(_address + offset), Length = (nuint)length };
                if (Check(process_vm_readv(_pid, &local, 1, &remote, 1, 0), "reading the guest's memory") != length)
                    throw new IOException("reading the guest's memory: it is cut off");
                RandomAccess.Write(target, buffer.AsSpan(0, length), offset);
                copied += length;
            }
        }

        return copied;
    }

    public void Dispose()
    {
        _base.Dispose();
        _pageMap.Dispose();
    }

    private static bool IsPrivate(ulong entry) => (entry & SwappedBit) != 0 || (entry & (PresentBit | FileBit)) == PresentBit;
}
