using System.Text;

namespace Candela.Guest.Files;

/// <summary>Writes headers of POSIX tar: ustar, with a pax header before it for what ustar cannot hold (pax(1), IEEE Std 1003.1).</summary>
internal sealed class TarHeader
{
    /// <summary>Tar's unit, bytes.</summary>
    public const int BlockBytes = 512;

    public const byte File = (byte)'0', HardLink = (byte)'1', Symlink = (byte)'2', CharacterDevice = (byte)'3', BlockDevice = (byte)'4', Folder = (byte)'5';
    public const byte Fifo = (byte)'6', Contiguous = (byte)'7', PaxHeader = (byte)'x', PaxGlobalHeader = (byte)'g', GnuLongName = (byte)'L', GnuLongLink = (byte)'K';

    /// <summary>Pax records of extended attributes begin so (star, GNU tar, Docker).</summary>
    public static ReadOnlySpan<byte> AttributePrefix => "SCHILY.xattr."u8;

    private const int NameBytes = 100;
    private const long SevenDigits = 0x1FFFFF, ElevenDigits = 0x1FFFFFFFF;

    private readonly List<byte> _records = [];

    /// <summary>Adds a pax record for the next header: "LENGTH KEY=VALUE\n".</summary>
    public void AddRecord(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var rest = key.Length + value.Length + 3;
        var length = rest + 1;
        while (Digits(length) + rest != length)
            length = Digits(length) + rest;
        AddNumber(length);
        _records.Add((byte)' ');
        _records.AddRange(key);
        _records.Add((byte)'=');
        _records.AddRange(value);
        _records.Add((byte)'\n');
    }

    /// <summary>Forgets the records added since the last header.</summary>
    public void DropRecords() => _records.Clear();

    /// <summary>Makes the header of one entry, with the records added since the last one.</summary>
    /// <param name="type">Type flag.</param>
    /// <param name="name">Path in the archive; a folder's ends with "/".</param>
    /// <param name="link">Target of a link, or empty.</param>
    /// <param name="size">Bytes of content that follow.</param>
    /// <param name="status">Owner, permissions, time and device numbers.</param>
    public byte[] Make(byte type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> link, long size, in FileStatus status)
    {
        if (!Fits(name))
            AddRecord("path"u8, name);
        if (!Fits(link))
            AddRecord("linkpath"u8, link);
        AddWhenLarge("size"u8, size, ElevenDigits);
        AddWhenLarge("uid"u8, status.UserId, SevenDigits);
        AddWhenLarge("gid"u8, status.GroupId, SevenDigits);
        AddWhenLarge("mtime"u8, status.ModifiedSeconds, ElevenDigits);

        var recordBlocks = (_records.Count + BlockBytes - 1) / BlockBytes;
        var header = new byte[(_records.Count > 0 ? BlockBytes * (1 + recordBlocks) : 0) + BlockBytes];
        var block = header.AsSpan();
        if (_records.Count > 0)
        {
            Fill(block[..BlockBytes], PaxHeader, "PaxHeaders/entry"u8, default, _records.Count, new FileStatus { Mode = 0b110_100_100 });
            _records.CopyTo(header, BlockBytes);
            block = block[(BlockBytes * (1 + recordBlocks))..];
            _records.Clear();
        }

        Fill(block, type, name, link, size, status);
        return header;
    }

    private static void Fill(Span<byte> block, byte type, ReadOnlySpan<byte> name, ReadOnlySpan<byte> link, long size, in FileStatus status)
    {
        name[..int.Min(name.Length, NameBytes)].CopyTo(block);
        Octal(block.Slice(100, 8), status.Mode & 0xFFF);
        Octal(block.Slice(108, 8), OrZero(status.UserId, SevenDigits));
        Octal(block.Slice(116, 8), OrZero(status.GroupId, SevenDigits));
        Octal(block.Slice(124, 12), OrZero(size, ElevenDigits));
        Octal(block.Slice(136, 12), OrZero(status.ModifiedSeconds, ElevenDigits));
        block[156] = type;
        link[..int.Min(link.Length, NameBytes)].CopyTo(block[157..]);
        "ustar\u000000"u8.CopyTo(block[257..]);
        var isDevice = type is CharacterDevice or BlockDevice;
        Octal(block.Slice(329, 8), isDevice ? status.DeviceMajor : 0);
        Octal(block.Slice(337, 8), isDevice ? status.DeviceMinor : 0);

        block.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var each in block)
            sum += each;
        Octal(block.Slice(148, 7), sum);
    }

    private void AddWhenLarge(ReadOnlySpan<byte> key, long value, long largest)
    {
        if (value < 0 || value > largest)
            AddRecord(key, Encoding.ASCII.GetBytes($"{value}"));
    }

    private static bool Fits(ReadOnlySpan<byte> text) => text.Length <= NameBytes && System.Text.Ascii.IsValid(text);

    private static long OrZero(long value, long largest) => value < 0 || value > largest ? 0 : value;

    /// <summary>Octal digits over the whole field but its last byte, which stays zero.</summary>
    private static void Octal(Span<byte> field, long value)
    {
        for (var i = field.Length - 2; i >= 0; i--)
        {
            field[i] = (byte)('0' + (value & 7));
            value >>= 3;
        }
    }

    private static int Digits(int number) => number < 10 ? 1 : 1 + Digits(number / 10);

    private void AddNumber(int number)
    {
        if (number >= 10)
            AddNumber(number / 10);
        _records.Add((byte)('0' + number % 10));
    }
}
