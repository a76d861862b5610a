using System.Formats.Tar;
using System.Text;

namespace Candela.Guest.Tests.Files;

/// <summary>Makes archives entry by entry, hostile ones too.</summary>
internal sealed class TarBytes : IDisposable
{
    private readonly MemoryStream _output = new();
    private readonly TarWriter _writer;

    public TarBytes() => _writer = new TarWriter(_output, TarEntryFormat.Pax, leaveOpen: true);

    public TarBytes File(string name, string content, UnixFileMode mode = (UnixFileMode)0b110_100_100, int uid = 0, int gid = 0)
    {
        PaxTarEntry entry = new(TarEntryType.RegularFile, name) { Mode = mode, Uid = uid, Gid = gid, ModificationTime = DateTimeOffset.FromUnixTimeSeconds(1_500_000_000).AddMilliseconds(250) };
        if (content.Length > 0)
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content));
        _writer.WriteEntry(entry);
        return this;
    }

    public TarBytes Folder(string name, UnixFileMode mode = (UnixFileMode)0b111_101_101)
    {
        _writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, name) { Mode = mode, ModificationTime = DateTimeOffset.FromUnixTimeSeconds(1_400_000_000) });
        return this;
    }

    public TarBytes Link(TarEntryType type, string name, string target)
    {
        _writer.WriteEntry(new PaxTarEntry(type, name) { LinkName = target });
        return this;
    }

    public byte[] End()
    {
        Dispose();
        return _output.ToArray();
    }

    public void Dispose() => _writer.Dispose();
}
