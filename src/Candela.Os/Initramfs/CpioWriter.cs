using System.Buffers;
using System.Globalization;
using System.Text;

namespace Candela.Os.Initramfs;

/// <summary>
/// Writes a cpio archive in the "newc" format, the one that the kernel unpacks as initramfs
/// (Documentation/driver-api/early-userspace/buffer-format.rst). Everything belongs to root and has modification time 0,
/// so that equal content gives equal bytes.
/// </summary>
internal sealed class CpioWriter(Stream output)
{
    // include/uapi/linux/stat.h
    private const uint S_IFDIR = 0x4000;
    private const uint S_IFCHR = 0x2000;
    private const uint S_IFREG = 0x8000;

    private const string Magic = "070701";
    private const string Trailer = "TRAILER!!!";
    private const int HeaderSize = 110;

    private uint _inode;
    private long _position;

    /// <summary>Adds a folder; its parent must be there already.</summary>
    /// <param name="path">Path without leading slash.</param>
    /// <param name="mode">Permission bits.</param>
    public void AddFolder(string path, uint mode) => WriteHeader(path, S_IFDIR | mode, 0, 0, 0);

    /// <summary>Adds a character device.</summary>
    /// <param name="path">Path without leading slash.</param>
    /// <param name="mode">Permission bits.</param>
    /// <param name="major">Device's major number.</param>
    /// <param name="minor">Device's minor number.</param>
    public void AddCharacterDevice(string path, uint mode, uint major, uint minor) => WriteHeader(path, S_IFCHR | mode, 0, major, minor);

    /// <summary>Adds a regular file.</summary>
    /// <param name="path">Path without leading slash.</param>
    /// <param name="mode">Permission bits.</param>
    /// <param name="content">What the file holds.</param>
    public void AddFile(string path, uint mode, ReadOnlySpan<byte> content)
    {
        WriteHeader(path, S_IFREG | mode, (uint)content.Length, 0, 0);
        Write(content);
        Pad();
    }

    /// <summary>Ends the archive. Nothing may be added afterwards.</summary>
    public void Finish() => WriteHeader(Trailer, 0, 0, 0, 0);

    private void WriteHeader(string path, uint mode, uint size, uint major, uint minor)
    {
        int nameLength = Encoding.UTF8.GetByteCount(path) + 1;
        uint inode = path == Trailer ? 0 : ++_inode;
        uint links = (mode & S_IFDIR) != 0 && (mode & S_IFREG) == 0 ? 2u : 1u;
        byte[] header = ArrayPool<byte>.Shared.Rent(HeaderSize + nameLength);
        Encoding.ASCII.GetBytes(Magic, header);
        // c_ino, c_mode, c_uid, c_gid, c_nlink, c_mtime, c_filesize, c_maj, c_min, c_rmaj, c_rmin, c_namesize, c_chksum
        ReadOnlySpan<uint> fields = [inode, mode, 0, 0, links, 0, size, 0, 0, major, minor, (uint)nameLength, 0];
        for (int i = 0; i < fields.Length; i++)
            fields[i].TryFormat(header.AsSpan(Magic.Length + i * 8, 8), out _, "X8", CultureInfo.InvariantCulture);
        Encoding.UTF8.GetBytes(path, header.AsSpan(HeaderSize));
        header[HeaderSize + nameLength - 1] = 0;
        Write(header.AsSpan(0, HeaderSize + nameLength));
        ArrayPool<byte>.Shared.Return(header);
        Pad();
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        _position += bytes.Length;
    }

    private void Pad()
    {
        ReadOnlySpan<byte> zeros = [0, 0, 0];
        Write(zeros[..(int)(-_position & 3)]);
    }
}
