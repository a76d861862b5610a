using System.Globalization;
using System.Text;

namespace Candela.Os.Tests.Initramfs;

/// <summary>Reads a newc archive strictly: an independent check of what the writer makes.</summary>
internal sealed record CpioEntry(string Path, uint Mode, uint Inode, uint Links, uint Major, uint Minor, byte[] Content)
{
    public static List<CpioEntry> ReadAll(byte[] archive)
    {
        List<CpioEntry> entries = [];
        int position = 0;
        while (true)
        {
            Assert.Equal("070701", Encoding.ASCII.GetString(archive, position, 6));
            uint[] fields = [.. Enumerable.Range(0, 13).Select(i => uint.Parse(Encoding.ASCII.GetString(archive, position + 6 + i * 8, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            int nameLength = (int)fields[11];
            string path = Encoding.UTF8.GetString(archive, position + 110, nameLength - 1);
            Assert.Equal(0, archive[position + 110 + nameLength - 1]);
            position = Align(position + 110 + nameLength);
            byte[] content = archive[position..(position + (int)fields[6])];
            position = Align(position + content.Length);
            if (path == "TRAILER!!!")
            {
                Assert.Equal(archive.Length, position);
                return entries;
            }

            entries.Add(new CpioEntry(path, fields[1], fields[0], fields[4], fields[9], fields[10], content));
        }
    }

    private static int Align(int position) => (position + 3) & ~3;
}
