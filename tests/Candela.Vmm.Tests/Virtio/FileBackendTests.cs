using Candela.Tests.Shared;
using Candela.Vmm.Native;
using Candela.Vmm.Virtio.Block;

namespace Candela.Vmm.Tests.Virtio;

public sealed unsafe class FileBackendTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FileStream _file;
    private readonly FileBackend _disk;
    private readonly byte[] _content = new byte[10_000];

    public FileBackendTests()
    {
        Random.Shared.NextBytes(_content);
        File.WriteAllBytes(_folder.File("disk"), _content);
        _file = new FileStream(_folder.File("disk"), FileMode.Open, FileAccess.ReadWrite);
        _disk = new FileBackend((int)_file.SafeFileHandle.DangerousGetHandle());
    }

    public void Dispose()
    {
        _file.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Reads_into_several_buffers_and_zeros_beyond_the_end()
    {
        byte[] read = new byte[3000];
        Array.Fill(read, (byte)0xEE);
        Assert.True(Transfer(read, 8000, isWrite: false, 1, 0, 999, 2000));
        Assert.Equal(_content.AsSpan(8000).ToArray(), read[..2000]);
        Assert.Equal(new byte[1000], read[2000..]);
        Assert.True(Transfer(read, 1 << 30, isWrite: false, 3000));
        Assert.Equal(new byte[3000], read);
    }

    [Fact]
    public void Writes_and_grows()
    {
        byte[] data = new byte[3000];
        Random.Shared.NextBytes(data);
        Assert.True(Transfer(data, 9000, isWrite: true, 100, 2900));
        Assert.True(_disk.TryFlush());
        byte[] file = File.ReadAllBytes(_folder.File("disk"));
        Assert.Equal([.. _content.AsSpan(0, 9000), .. data], file);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Zeroes_a_range_and_nothing_else(bool deallocate)
    {
        Assert.True(_disk.TryZero(1000, 5000, deallocate));
        _content.AsSpan(1000, 5000).Clear();
        Assert.Equal(_content, File.ReadAllBytes(_folder.File("disk")));
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_an_error()
    {
        using FileStream file = File.OpenRead(_folder.File("disk"));
        FileBackend disk = new((int)file.SafeFileHandle.DangerousGetHandle());
        byte b = 1;
        IoVector vector = new() { Start = &b, Length = 1 };
        Assert.False(disk.TryWrite(new ReadOnlySpan<IoVector>(in vector), 0));
        Assert.False(disk.TryZero(0, 1, deallocate: false));
    }

    private bool Transfer(byte[] bytes, ulong offset, bool isWrite, params ReadOnlySpan<int> lengths)
    {
        fixed (byte* start = bytes)
        {
            IoVector[] vectors = new IoVector[lengths.Length];
            byte* next = start;
            for (int i = 0; i < lengths.Length; i++)
            {
                vectors[i] = new IoVector { Start = next, Length = (nuint)lengths[i] };
                next += lengths[i];
            }

            return isWrite ? _disk.TryWrite(vectors, offset) : _disk.TryRead(vectors, offset);
        }
    }
}
