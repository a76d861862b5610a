using System.Formats.Tar;

namespace Candela.Microvisor.Tests.Qemu;

/// <summary>Archives for guests.</summary>
internal static class Archives
{
    /// <summary>One with an empty file.</summary>
    public static MemoryStream WithFile(string name)
    {
        var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, leaveOpen: true))
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name));
        tar.Position = 0;
        return tar;
    }
}
