using System.Buffers.Binary;

namespace Candela.Guest.Files;

/// <summary>Names in an open folder, a bounded buffer at a time.</summary>
internal sealed class FolderReader(Descriptor folder, byte[] archivePath) : IDisposable
{
    private const int BufferBytes = 8 * 1024;

    // struct linux_dirent64, include/linux/dirent.h: d_reclen and d_name.
    private const int RecordLengthOffset = 16, NameOffset = 19;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _at;
    private int _length;

    /// <summary>The folder's descriptor.</summary>
    public int Number => folder.Number;

    /// <summary>Its path in the archive, without "/" at the end.</summary>
    public byte[] ArchivePath => archivePath;

    /// <inheritdoc/>
    public void Dispose() => folder.Dispose();

    /// <summary>The next name with its zero byte, "." and ".." left out; null at the end. Valid until the next call.</summary>
    /// <exception cref="AgentFailure">Reading failed.</exception>
    public ReadOnlySpan<byte> Next()
    {
        while (true)
        {
            if (_at == _length)
            {
                var count = FileCalls.ReadFolder(Number, _buffer);
                if (count == -FileCalls.ENOENT || count == 0) // ENOENT: the folder was deleted meanwhile
                    return default;
                if (count < 0)
                    throw FileFailure.Of("readdir", archivePath, count);
                _at = 0;
                _length = count;
            }

            var record = _buffer.AsSpan(_at, BinaryPrimitives.ReadUInt16LittleEndian(_buffer.AsSpan(_at + RecordLengthOffset)));
            _at += record.Length;
            var name = record[NameOffset..];
            name = name[..(name.IndexOf((byte)0) + 1)];
            if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                return name;
        }
    }
}
