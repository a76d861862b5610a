using System.Buffers.Binary;
using Candela.Model;

namespace Candela.Images.BlockImages;

/// <summary>
/// Sets owner and time of an uncompressed squashfs's root folder, which sqfstar 4.5 has no working options for: the root belongs to
/// whoever ran sqfstar. As no file of the image has that owner, its place in the id table can be given to the right one.
/// Layout: Linux, fs/squashfs/squashfs_fs.h.
/// </summary>
internal static class SquashfsRoot
{
    private const int SuperblockLength = 96;
    private const uint Magic = 0x73717368;
    private const int MetadataSize = 8192;
    private const ushort UncompressedBit = 0x8000;
    private const int IdsPerBlock = MetadataSize / sizeof(uint);

    /// <summary>Patches the file.</summary>
    /// <param name="file">The file system.</param>
    /// <param name="placeholderUser">User who ran sqfstar.</param>
    /// <param name="placeholderGroup">Group who ran sqfstar.</param>
    /// <param name="user">The root folder's user.</param>
    /// <param name="group">The root folder's group.</param>
    /// <param name="modified">Its time, seconds since 1970.</param>
    public static void Set(FileStream file, uint placeholderUser, uint placeholderGroup, uint user, uint group, uint modified)
    {
        Span<byte> superblock = stackalloc byte[SuperblockLength];
        ReadAt(file, 0, superblock);
        if (BinaryPrimitives.ReadUInt32LittleEndian(superblock) != Magic)
            throw Unexpected();
        int idCount = BinaryPrimitives.ReadUInt16LittleEndian(superblock[26..]);
        long rootInode = BinaryPrimitives.ReadInt64LittleEndian(superblock[32..]);
        long idTable = BinaryPrimitives.ReadInt64LittleEndian(superblock[48..]);
        long inodeTable = BinaryPrimitives.ReadInt64LittleEndian(superblock[64..]);

        SetModified(file, inodeTable + (rootInode >> 16), (int)(rootInode & 0xFFFF), modified);
        Span<byte> word = stackalloc byte[sizeof(long)];
        for (int i = 0; i < idCount; i++)
        {
            ReadAt(file, idTable + i / IdsPerBlock * sizeof(long), word);
            long block = BinaryPrimitives.ReadInt64LittleEndian(word);
            RequireUncompressed(file, block);
            long position = block + sizeof(ushort) + i % IdsPerBlock * sizeof(uint);
            Span<byte> id = word[..sizeof(uint)];
            ReadAt(file, position, id);
            uint there = BinaryPrimitives.ReadUInt32LittleEndian(id);
            if (there != placeholderUser && there != placeholderGroup)
                continue;
            BinaryPrimitives.WriteUInt32LittleEndian(id, there == placeholderUser ? user : group);
            WriteAt(file, position, id);
        }
    }

    private static void SetModified(FileStream file, long block, int offset, uint modified)
    {
        const int modifiedOffset = 8; // of struct squashfs_base_inode
        Span<byte> value = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(value, modified);
        for (int i = 0; i < value.Length; i++)
        {
            int at = offset + modifiedOffset + i;
            long start = block;
            for (; at >= MetadataSize; at -= MetadataSize)
                start += sizeof(ushort) + MetadataSize; // an inode may go on in the next metadata block
            RequireUncompressed(file, start);
            WriteAt(file, start + sizeof(ushort) + at, value.Slice(i, 1));
        }
    }

    private static void RequireUncompressed(FileStream file, long block)
    {
        Span<byte> header = stackalloc byte[sizeof(ushort)];
        ReadAt(file, block, header);
        if ((BinaryPrimitives.ReadUInt16LittleEndian(header) & UncompressedBit) == 0)
            throw Unexpected();
    }

    private static void ReadAt(FileStream file, long position, Span<byte> buffer)
    {
        if (position < 0 || position + buffer.Length > RandomAccess.GetLength(file.SafeFileHandle))
            throw Unexpected();
        for (int done = 0, read; done < buffer.Length; done += read)
        {
            read = RandomAccess.Read(file.SafeFileHandle, buffer[done..], position + done);
            if (read == 0)
                throw Unexpected();
        }
    }

    private static void WriteAt(FileStream file, long position, ReadOnlySpan<byte> buffer) =>
        RandomAccess.Write(file.SafeFileHandle, buffer, position);

    private static CandelaException Unexpected() =>
        new(ErrorCode.Internal, "sqfstar (package squashfs-tools) wrote something unexpected: version 4.5 or later is needed");
}
