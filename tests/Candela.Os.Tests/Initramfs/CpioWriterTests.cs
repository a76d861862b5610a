using System.Text;
using Candela.Os.Initramfs;

namespace Candela.Os.Tests.Initramfs;

public sealed class CpioWriterTests
{
    [Fact]
    public void Writes_folders_devices_and_files_that_read_back_equal()
    {
        using MemoryStream output = new();
        CpioWriter cpio = new(output);
        cpio.AddFolder("dev", 0b111_101_101);
        cpio.AddCharacterDevice("dev/console", 0b110_000_000, 5, 1);
        for (int length = 0; length < 9; length++)
            cpio.AddFile("f" + new string('x', length), 0b110_100_100, Encoding.ASCII.GetBytes(new string('c', length)));
        cpio.Finish();

        List<CpioEntry> entries = CpioEntry.ReadAll(output.ToArray());

        Assert.Equal(("dev", 0x41EDu, 2u), (entries[0].Path, entries[0].Mode, entries[0].Links));
        Assert.Equal(("dev/console", 0x2180u, 5u, 1u), (entries[1].Path, entries[1].Mode, entries[1].Major, entries[1].Minor));
        for (int length = 0; length < 9; length++)
        {
            CpioEntry file = entries[2 + length];
            Assert.Equal(("f" + new string('x', length), 0x81A4u, 1u), (file.Path, file.Mode, file.Links));
            Assert.Equal(new string('c', length), Encoding.ASCII.GetString(file.Content));
        }

        Assert.Equal(entries.Count, entries.Select(entry => entry.Inode).Distinct().Count());
    }

    [Fact]
    public void Equal_content_gives_equal_bytes() => Assert.Equal(One(), One());

    private static byte[] One()
    {
        using MemoryStream output = new();
        CpioWriter cpio = new(output);
        cpio.AddFile("init", 0b111_101_101, [1, 2, 3]);
        cpio.Finish();
        return output.ToArray();
    }
}
