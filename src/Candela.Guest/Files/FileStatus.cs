using System.Runtime.InteropServices;

namespace Candela.Guest.Files;

/// <summary>struct statx, include/uapi/linux/stat.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileStatus
{
    public const uint STATX_BASIC_STATS = 0x7FF;
    public const uint S_IFMT = 0xF000, S_IFSOCK = 0xC000, S_IFLNK = 0xA000, S_IFREG = 0x8000, S_IFBLK = 0x6000, S_IFDIR = 0x4000, S_IFCHR = 0x2000, S_IFIFO = 0x1000;

    [FieldOffset(16)]
    public uint LinkCount;

    [FieldOffset(20)]
    public uint UserId;

    [FieldOffset(24)]
    public uint GroupId;

    /// <summary>stx_mode: type and permissions.</summary>
    [FieldOffset(28)]
    public ushort Mode;

    [FieldOffset(32)]
    public ulong Inode;

    /// <summary>Bytes.</summary>
    [FieldOffset(40)]
    public long Size;

    /// <summary>stx_mtime.tv_sec.</summary>
    [FieldOffset(112)]
    public long ModifiedSeconds;

    [FieldOffset(128)]
    public uint DeviceMajor;

    [FieldOffset(132)]
    public uint DeviceMinor;

    /// <summary>stx_dev_major of the file system that holds it.</summary>
    [FieldOffset(136)]
    public uint FileSystemMajor;

    [FieldOffset(140)]
    public uint FileSystemMinor;

    /// <summary>S_IFREG and so on.</summary>
    public readonly uint Type => Mode & S_IFMT;

    /// <summary>Whether both are the same file.</summary>
    public readonly bool IsSameFile(in FileStatus other) =>
        Inode == other.Inode && FileSystemMajor == other.FileSystemMajor && FileSystemMinor == other.FileSystemMinor;
}
