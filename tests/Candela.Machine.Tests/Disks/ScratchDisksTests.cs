using Candela.Machine.Disks;
using Candela.Machine.Native;
using Microsoft.Extensions.Logging.Abstractions;

namespace Candela.Machine.Tests.Disks;

public sealed class ScratchDisksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Disks_are_sparse_formatted_and_each_its_own(int pool)
    {
        await using var disks = new ScratchDisks(_folder.File("scratch"), 1L << 30, pool, NullLogger.Instance);
        await disks.StartAsync(TestContext.Current.CancellationToken);
        for (int i = 0; i < 4; i++)
        {
            string path = _folder.File($"disk{i}");
            await disks.TakeAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(1L << 30, new FileInfo(path).Length);
            Assert.InRange(LinuxFile.AllocatedBytes(path), 1, 8 << 20);
            Assert.Equal([0x53, 0xEF], ReadMagic(path));
        }
    }

    [Fact]
    public void A_sparse_copy_keeps_data_and_holes()
    {
        string source = _folder.File("source");
        using (FileStream file = File.Create(source))
        {
            file.SetLength(64 << 20);
            file.Position = 10 << 20;
            file.Write(new byte[] { 1, 2, 3 });
        }

        string copy = _folder.File("copy");
        LinuxFile.CopySparse(source, copy);
        Assert.True(File.ReadAllBytes(source).AsSpan().SequenceEqual(File.ReadAllBytes(copy)));
        Assert.InRange(LinuxFile.AllocatedBytes(copy), 1, 1 << 20);
    }

    // fs/ext4/ext4.h: s_magic at offset 0x38 of the superblock, which begins at byte 1024.
    private static byte[] ReadMagic(string path)
    {
        using FileStream file = File.OpenRead(path);
        file.Position = 1024 + 0x38;
        return [(byte)file.ReadByte(), (byte)file.ReadByte()];
    }
}
