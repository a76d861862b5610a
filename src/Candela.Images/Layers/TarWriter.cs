using System.Text;

namespace Candela.Images.Layers;

/// <summary>Writes a tar: ustar headers, with pax records, and GNU long links, for what does not fit them.</summary>
internal sealed class TarWriter(Stream output)
{
    private const int NameLength = 100;
    private const long OctalMaximum7 = 0x1FFFFF; // what seven octal digits hold
    private const long OctalMaximum11 = 0x1_FFFF_FFFF; // eleven

    private readonly byte[] _block = new byte[TarReader.BlockSize];
    private long _written;

    /// <summary>Writes an entry's header. A regular file's content must follow by <see cref="Write"/>, then <see cref="EndContent"/>.</summary>
    public void Add(TarEntry entry)
    {
        // Not pax's linkpath: sqfstar 4.5 takes a leading slash or .. away from a symbolic link's.
        if (entry.LinkName.Length > NameLength)
            Extension('K', Encoding.Latin1.GetBytes(entry.LinkName + '\0'));
        byte[] records = Records(entry);
        if (records.Length > 0)
            Extension('x', records);

        Header(
            entry.Name,
            (char)entry.Kind,
            entry.LinkName,
            entry.Mode,
            entry.UserId,
            entry.GroupId,
            entry.Kind == TarKind.Regular ? entry.Size : 0,
            entry.ModifiedSeconds,
            entry.DeviceMajor,
            entry.DeviceMinor);
    }

    /// <summary>Writes content.</summary>
    public void Write(ReadOnlySpan<byte> content)
    {
        output.Write(content);
        _written += content.Length;
    }

    /// <summary>Pads the content written to whole blocks.</summary>
    public void EndContent()
    {
        int padding = (int)(-_written & (TarReader.BlockSize - 1));
        _block.AsSpan(0, padding).Clear();
        output.Write(_block, 0, padding);
        _written = 0;
    }

    /// <summary>Writes the end-of-archive mark.</summary>
    public void End()
    {
        _block.AsSpan().Clear();
        output.Write(_block);
        output.Write(_block);
        output.Flush();
    }

    private void Extension(char kind, byte[] content)
    {
        Header("extension", kind, "", 0, 0, 0, content.Length, 0, 0, 0);
        Write(content);
        EndContent();
    }

    private static byte[] Records(TarEntry entry)
    {
        using MemoryStream records = new();
        if (entry.Name.Length > NameLength)
            Text("path", entry.Name);
        if (entry.UserId > OctalMaximum7)
            Text("uid", $"{entry.UserId}");
        if (entry.GroupId > OctalMaximum7)
            Text("gid", $"{entry.GroupId}");
        if (entry.Size > OctalMaximum11)
            Text("size", $"{entry.Size}");
        foreach (ExtendedAttribute attribute in entry.Attributes)
            Record("SCHILY.xattr." + attribute.Name, attribute.Value);
        return records.ToArray();

        void Text(string key, string value) => Record(key, Encoding.Latin1.GetBytes(value));

        void Record(string key, ReadOnlySpan<byte> value)
        {
            int rest = key.Length + value.Length + 3; // space, equals sign, newline
            int length = rest + Digits(rest);
            length = rest + Digits(length);
            records.Write(Encoding.Latin1.GetBytes($"{length} {key}="));
            records.Write(value);
            records.WriteByte((byte)'\n');
        }
    }

    private static int Digits(int value) => value < 10 ? 1 : 1 + Digits(value / 10);

    private void Header(string name, char kind, string link, int mode, uint user, uint group, long size, long modified, uint major, uint minor)
    {
        Span<byte> block = _block;
        block.Clear();
        Text(block[..NameLength], name);
        Octal(block.Slice(100, 8), mode);
        Octal(block.Slice(108, 8), Math.Min(user, OctalMaximum7));
        Octal(block.Slice(116, 8), Math.Min(group, OctalMaximum7));
        Octal(block.Slice(124, 12), Math.Min(size, OctalMaximum11));
        Octal(block.Slice(136, 12), Math.Clamp(modified, 0, uint.MaxValue));
        block[156] = (byte)kind;
        Text(block.Slice(157, NameLength), link);
        "ustar\u000000"u8.CopyTo(block[257..]);
        Octal(block.Slice(329, 8), major);
        Octal(block.Slice(337, 8), minor);

        block.Slice(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte value in block)
            sum += value;
        Octal(block.Slice(148, 7), sum);
        output.Write(block);
    }

    private static void Text(Span<byte> field, string value) =>
        Encoding.Latin1.GetBytes(value.AsSpan(0, Math.Min(value.Length, field.Length)), field);

    private static void Octal(Span<byte> field, long value)
    {
        for (int i = field.Length - 2; i >= 0; i--, value >>= 3)
            field[i] = (byte)('0' + (value & 7));
    }
}
