using Candela.Microvisor.Native;
using Microsoft.Win32.SafeHandles;

namespace Candela.Microvisor.Tests.Native;

public sealed class MemoryFileTests
{
    [Fact]
    public void Copies_data_and_leaves_zero_pages_out()
    {
        const long size = 16L << 20;
        using SafeFileHandle source = MemoryFile.Create("test", size), target = MemoryFile.Create("test", size);
        RandomAccess.Write(source, new byte[] { 1 }, 0);
        RandomAccess.Write(source, new byte[8192], 1 << 20);
        RandomAccess.Write(source, new byte[] { 2, 3 }, (2 << 20) + 4095);
        RandomAccess.Write(source, new byte[] { 4 }, size - 1);

        long copied = MemoryFile.CopyPages(source, target, CancellationToken.None);

        Assert.Equal(4 * MemoryFile.PageBytes, copied);
        byte[] expected = new byte[size], found = new byte[size];
        MemoryFile.ReadExactly(source, expected, 0);
        MemoryFile.ReadExactly(target, found, 0);
        Assert.Equal(expected, found);
    }

    [Fact]
    public void Sealed_memory_refuses_every_change()
    {
        using SafeFileHandle file = MemoryFile.Create("test", 4096);
        MemoryFile.Seal(file);

        Assert.ThrowsAny<Exception>(() => RandomAccess.Write(file, new byte[] { 1 }, 0));
        Assert.ThrowsAny<Exception>(() => RandomAccess.SetLength(file, 8192));
        using SafeFileHandle again = MemoryFile.Reopen(file, Libc.O_RDWR);
        Assert.ThrowsAny<Exception>(() => RandomAccess.Write(again, new byte[] { 1 }, 0));
    }
}
