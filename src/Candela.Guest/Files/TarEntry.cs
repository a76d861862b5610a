using Candela.Guest.Protocol;

namespace Candela.Guest.Files;

/// <summary>An entry of a tar stream: header, pax records and GNU long names together.</summary>
internal sealed class TarEntry
{
    /// <summary>Where a header has the type flag.</summary>
    public const int TypeOffset = 156;

    private const int BlockBytes = TarHeader.BlockBytes;

    /// <summary>Type flag.</summary>
    public byte Type { get; private init; }

    /// <summary>Path as the archive has it.</summary>
    public required byte[] Name { get; init; }

    /// <summary>Target of a link, or empty.</summary>
    public required byte[] Link { get; init; }

    /// <summary>Bytes of content.</summary>
    public long Size { get; private init; }

    /// <summary>Permission bits with setuid, setgid and sticky.</summary>
    public uint Mode { get; private init; }

    /// <summary>Owner.</summary>
    public uint UserId { get; private init; }

    /// <summary>Owning group.</summary>
    public uint GroupId { get; private init; }

    /// <summary>Modification time.</summary>
    public FileCalls.TimeSpec Modified { get; private init; }

    /// <summary>Device number as mknod(2) takes it.</summary>
    public ulong Device { get; private init; }

    /// <summary>Extended attributes; names end with a zero byte.</summary>
    public required List<(byte[] Name, byte[] Value)> Attributes { get; init; }

    /// <summary>The path for messages.</summary>
    public string Text => FileFailure.Text(Name);

    /// <summary>Reads a header block, with what came in the special entries before it.</summary>
    /// <exception cref="AgentFailure">InvalidArgument: damaged.</exception>
    public static TarEntry Parse(ReadOnlySpan<byte> block, PaxRecords records, byte[]? longName, byte[]? longLink)
    {
        CheckSum(block);
        var name = records.Path ?? longName ?? HeaderName(block);
        var link = records.LinkPath ?? longLink ?? Field(block.Slice(157, 100)).ToArray();
        var size = records.Size ?? Number(block.Slice(124, 12));
        var type = block[TypeOffset] == 0 ? TarHeader.File : block[TypeOffset];
        // Before POSIX a folder was a file whose name ends with "/".
        if (type == TarHeader.File && name is [.., (byte)'/'])
            type = TarHeader.Folder;
        if (name.Length is 0 or >= UnixPath.MaximumBytes || link.Length >= UnixPath.MaximumBytes || name.AsSpan().Contains((byte)0) || link.AsSpan().Contains((byte)0))
            throw Invalid("a name is empty, too long, or holds a zero byte");
        if (size < 0)
            throw Invalid("a size is negative");
        return new TarEntry
        {
            Type = type,
            Name = name,
            Link = link,
            Size = type is TarHeader.HardLink or TarHeader.Symlink or TarHeader.CharacterDevice or TarHeader.BlockDevice or TarHeader.Folder or TarHeader.Fifo ? 0 : size,
            Mode = (uint)Number(block.Slice(100, 8)) & 0xFFF,
            UserId = Id(records.UserId ?? Number(block.Slice(108, 8))),
            GroupId = Id(records.GroupId ?? Number(block.Slice(116, 8))),
            Modified = records.Modified ?? new FileCalls.TimeSpec { Seconds = Number(block.Slice(136, 12)) },
            Device = MakeDevice((uint)Number(block.Slice(329, 8)), (uint)Number(block.Slice(337, 8))),
            Attributes = records.Attributes,
        };
    }

    /// <summary>Whether a block is all zeros: the end of the archive.</summary>
    public static bool IsEnd(ReadOnlySpan<byte> block) => !block.ContainsAnyExcept((byte)0);

    /// <summary>A damaged archive.</summary>
    public static AgentFailure Invalid(string reason) => new(AgentError.InvalidArgument, $"invalid tar archive: {reason}");

    private static byte[] HeaderName(ReadOnlySpan<byte> block)
    {
        var name = Field(block[..100]);
        // The prefix is POSIX's; GNU's old format has other things there.
        var prefix = block.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Field(block.Slice(345, 155)) : default;
        return prefix.IsEmpty ? name.ToArray() : UnixPath.Join(prefix, name);
    }

    private static void CheckSum(ReadOnlySpan<byte> block)
    {
        int unsigned = 0, signed = 0;
        for (var i = 0; i < BlockBytes; i++)
        {
            var value = i is >= 148 and < 156 ? (byte)' ' : block[i];
            unsigned += value;
            signed += (sbyte)value;
        }

        var stated = Number(block.Slice(148, 8));
        if (stated != unsigned && stated != signed)
            throw Invalid("wrong checksum in a header");
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    /// <summary>Octal digits, or GNU's base 256 when the first bit is set.</summary>
    private static long Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            var isNegative = (field[0] & 0x40) != 0;
            Int128 value = isNegative ? -1 : 0;
            for (var i = 0; i < field.Length; i++)
                value = (value << 8) | (i == 0 && !isNegative ? (byte)(field[i] & 0x7F) : field[i]);
            return value < long.MinValue || value > long.MaxValue ? throw Invalid("a number is too large") : (long)value;
        }

        long result = 0;
        foreach (var digit in Field(field).Trim(" "u8))
        {
            if (digit is < (byte)'0' or > (byte)'7')
                throw Invalid("a number is not octal");
            result = (result << 3) | (uint)(digit - '0');
        }

        return result;
    }

    // 4294967295 is "no change" to chown(2).
    private static uint Id(long value) => value is >= 0 and < uint.MaxValue ? (uint)value : throw Invalid("a user or group id is out of range");

    // include/linux/kdev_t.h: new_encode_dev, with glibc's wider gnu_dev_makedev.
    private static ulong MakeDevice(uint major, uint minor) =>
        ((ulong)(major & 0xFFFFF000) << 32) | ((ulong)(major & 0xFFF) << 8) | ((ulong)(minor & 0xFFFFFF00) << 12) | (minor & 0xFF);
}
