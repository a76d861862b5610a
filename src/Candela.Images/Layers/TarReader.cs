using System.Text;

namespace Candela.Images.Layers;

/// <summary>
/// Reads a tar stream of any provenance: ustar, pax and GNU, checked field by field. Names are carried as Latin-1, one character
/// a byte, since Linux gives them no encoding.
/// </summary>
internal sealed class TarReader(Stream input, ImageLimits limits)
{
    public const int BlockSize = 512;

    private readonly byte[] _block = new byte[BlockSize];
    private long _content;
    private int _padding;
    private bool _ended;

    /// <summary>Whether the tar ended with the mark that it should end with; many tools accept one without.</summary>
    public bool HasEndMark { get; private set; }

    /// <summary>The next entry, or null at the end. What is left of the previous one's content is skipped.</summary>
    /// <exception cref="Model.CandelaException">ImageInvalid.</exception>
    public TarEntry? Next()
    {
        if (_ended)
            return null;
        PaxRecords? extension = null;
        string? longName = null;
        string? longLink = null;
        while (true)
        {
            Skip(_content + _padding);
            (_content, _padding) = (0, 0);
            if (!ReadHeader())
            {
                _ended = true;
                return extension is null && longName is null && longLink is null ? null : throw LayerException.Invalid("a tar extension header with no entry after it");
            }

            switch ((char)_block[156])
            {
                case 'x':
                    extension = PaxRecords.Parse(ReadExtension(), limits);
                    break;
                case 'g':
                    ReadExtension();
                    break;
                case 'L':
                    longName = Text(ReadExtension());
                    break;
                case 'K':
                    longLink = Text(ReadExtension());
                    break;
                default:
                    return Entry(extension ?? PaxRecords.None, longName, longLink);
            }
        }
    }

    /// <summary>Reads the current entry's content.</summary>
    /// <returns>Bytes read; 0 at its end.</returns>
    public int Read(Span<byte> buffer)
    {
        if (_content == 0 || buffer.Length == 0)
            return 0;
        int read = input.Read(buffer[..(int)Math.Min(buffer.Length, _content)]);
        if (read == 0)
            throw Truncated();
        _content -= read;
        return read;
    }

    private bool ReadHeader()
    {
        int read = input.ReadAtLeast(_block, BlockSize, throwOnEndOfStream: false);
        HasEndMark = read == BlockSize && _block.AsSpan().IndexOfAnyExcept((byte)0) < 0;
        if (read == 0 || HasEndMark)
            return false;
        if (read < BlockSize)
            throw Truncated();

        long stated = Octal(148, 8);
        long unsigned = 0;
        long signed = 0;
        for (int i = 0; i < BlockSize; i++)
        {
            byte value = i is >= 148 and < 156 ? (byte)' ' : _block[i];
            unsigned += value;
            signed += (sbyte)value;
        }

        return stated == unsigned || stated == signed ? true : throw LayerException.Invalid("bad checksum of a tar header");
    }

    private TarEntry Entry(PaxRecords pax, string? longName, string? longLink)
    {
        char flag = (char)_block[156];
        if (flag == 'S' || pax.IsSparse)
            throw LayerException.Invalid("a sparse tar entry: make the archive without --sparse");
        bool isUstar = Field(257, 6) == "ustar" && _block[262] == 0;
        string prefix = isUstar ? Field(345, 155) : "";
        string shortName = Field(0, 100);
        string name = pax.Path ?? longName ?? (prefix.Length > 0 ? $"{prefix}/{shortName}" : shortName);
        TarKind kind = flag switch
        {
            '0' or '\0' or '7' => name.EndsWith('/') ? TarKind.Folder : TarKind.Regular,
            >= '1' and <= '6' => (TarKind)flag,
            _ => throw LayerException.Invalid($"unknown type '{flag}' of tar entry {Display(name)}"),
        };
        long size = pax.Size ?? Number(124, 12);
        if (size < 0 || size > limits.UncompressedBytes)
            throw LayerException.Invalid($"tar entry {Display(name)} states a size of {size} bytes");
        if (kind == TarKind.Regular)
            (_content, _padding) = (size, Padding(size));
        bool isDevice = kind is TarKind.CharacterDevice or TarKind.BlockDevice;
        return new TarEntry
        {
            Kind = kind,
            Name = name,
            LinkName = kind is TarKind.HardLink or TarKind.SymbolicLink ? pax.LinkPath ?? longLink ?? Field(157, 100) : "",
            Mode = (int)(Number(100, 8) & 0xFFF),
            UserId = Id(pax.UserId ?? Number(108, 8), name),
            GroupId = Id(pax.GroupId ?? Number(116, 8), name),
            Size = _content,
            ModifiedSeconds = pax.ModifiedSeconds ?? Number(136, 12),
            DeviceMajor = isDevice ? DeviceNumber(329, 0xFFF, name) : 0,
            DeviceMinor = isDevice ? DeviceNumber(337, 0xFFFFF, name) : 0,
            Attributes = pax.Attributes,
        };
    }

    private byte[] ReadExtension()
    {
        long size = Number(124, 12);
        if (size < 0 || size > limits.ExtensionBytes)
            throw LayerException.Invalid($"a tar extension header of {size} bytes; at most {limits.ExtensionBytes} are accepted");
        byte[] content = new byte[size];
        if (input.ReadAtLeast(content, content.Length, throwOnEndOfStream: false) < content.Length)
            throw Truncated();
        _padding = Padding(size);
        return content;
    }

    private void Skip(long count)
    {
        const int worthSeeking = 64 << 10;
        if (count > worthSeeking && input.CanSeek)
        {
            if (input.Length - input.Position < count)
                throw Truncated();
            input.Seek(count, SeekOrigin.Current);
            return;
        }

        Span<byte> buffer = stackalloc byte[4096];
        while (count > 0)
        {
            int read = input.Read(buffer[..(int)Math.Min(buffer.Length, count)]);
            if (read == 0)
                throw Truncated();
            count -= read;
        }
    }

    private static uint Id(long value, string name) =>
        value is >= 0 and < uint.MaxValue ? (uint)value : throw LayerException.Invalid($"owner {value} of tar entry {Display(name)}");

    private uint DeviceNumber(int offset, uint maximum, string name)
    {
        long value = Number(offset, 8);
        return value >= 0 && value <= maximum ? (uint)value : throw LayerException.Invalid($"device number {value} of tar entry {Display(name)}");
    }

    /// <summary>Octal digits, or GNU's base 256.</summary>
    private long Number(int offset, int length)
    {
        ReadOnlySpan<byte> field = _block.AsSpan(offset, length);
        if ((field[0] & 0x80) == 0)
            return Octal(offset, length);
        Int128 value = (field[0] & 0x40) != 0 ? -1 : 0;
        value = (value << 6) | (uint)(field[0] & 0x3F);
        foreach (byte digit in field[1..])
            value = (value << 8) | digit;
        return value >= long.MinValue && value <= long.MaxValue ? (long)value : throw LayerException.Invalid("a number out of range in a tar header");
    }

    private long Octal(int offset, int length)
    {
        ReadOnlySpan<byte> digits = _block.AsSpan(offset, length).Trim(" \0"u8);
        long value = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
                throw LayerException.Invalid("a malformed number in a tar header");
            value = (value << 3) | (uint)(digit - '0');
        }

        return value;
    }

    private string Field(int offset, int length) => Text(_block.AsSpan(offset, length));

    private static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? field : field[..end]);
    }

    private static int Padding(long size) => (int)(-size & (BlockSize - 1));

    /// <summary>A name as a message shows it.</summary>
    public static string Display(string name)
    {
        const int shown = 200;
        string text = Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(name.Length > shown ? name[..shown] + "..." : name));
        return '"' + string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c)) + '"';
    }

    private static Model.CandelaException Truncated() => LayerException.Invalid("the tar is truncated");
}
