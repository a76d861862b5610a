using System.Globalization;

namespace Candela.Guest.Files;

/// <summary>The records of a pax header that matter: they replace fields of the header after it.</summary>
internal sealed class PaxRecords
{
    private const int NanosecondDigits = 9;

    /// <summary>path.</summary>
    public byte[]? Path { get; private set; }

    /// <summary>linkpath.</summary>
    public byte[]? LinkPath { get; private set; }

    /// <summary>size, bytes.</summary>
    public long? Size { get; private set; }

    /// <summary>uid.</summary>
    public long? UserId { get; private set; }

    /// <summary>gid.</summary>
    public long? GroupId { get; private set; }

    /// <summary>mtime.</summary>
    public FileCalls.TimeSpec? Modified { get; private set; }

    /// <summary>SCHILY.xattr.*: names end with a zero byte.</summary>
    public List<(byte[] Name, byte[] Value)> Attributes { get; } = [];

    /// <summary>Reads records "LENGTH KEY=VALUE\n".</summary>
    /// <exception cref="AgentFailure">InvalidArgument: damaged, or a sparse file.</exception>
    public static PaxRecords Parse(ReadOnlySpan<byte> data)
    {
        var records = new PaxRecords();
        while (!data.IsEmpty)
        {
            var space = data.IndexOf((byte)' ');
            if (space < 1 || !int.TryParse(data[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= space + 1 || length > data.Length || data[length - 1] != '\n')
                throw TarEntry.Invalid("a pax record has a wrong length");
            var record = data[(space + 1)..(length - 1)];
            data = data[length..];
            var equals = record.IndexOf((byte)'=');
            if (equals < 1)
                throw TarEntry.Invalid("a pax record has no key");
            records.Set(record[..equals], record[(equals + 1)..]);
        }

        return records;
    }

    private void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.SequenceEqual("path"u8))
            Path = value.ToArray();
        else if (key.SequenceEqual("linkpath"u8))
            LinkPath = value.ToArray();
        else if (key.SequenceEqual("size"u8))
            Size = Number(value);
        else if (key.SequenceEqual("uid"u8))
            UserId = Number(value);
        else if (key.SequenceEqual("gid"u8))
            GroupId = Number(value);
        else if (key.SequenceEqual("mtime"u8))
            Modified = Time(value);
        else if (key.StartsWith(TarHeader.AttributePrefix) && key.Length > TarHeader.AttributePrefix.Length && !key.Contains((byte)0))
            Attributes.Add((UnixPath.Terminated(key[TarHeader.AttributePrefix.Length..]), value.ToArray()));
        else if (key.StartsWith("GNU.sparse."u8))
            throw TarEntry.Invalid("sparse files are not supported: make the archive without them (tar without --sparse)");
    }

    private static long Number(ReadOnlySpan<byte> value) =>
        long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw TarEntry.Invalid("a pax record holds no number");

    /// <summary>Seconds with a fraction, possibly negative.</summary>
    private static FileCalls.TimeSpec Time(ReadOnlySpan<byte> value)
    {
        var point = value.IndexOf((byte)'.');
        var seconds = Number(point < 0 ? value : value[..point]);
        if (point < 0)
            return new FileCalls.TimeSpec { Seconds = seconds };
        long nanoseconds = 0;
        var fraction = value[(point + 1)..];
        for (var i = 0; i < NanosecondDigits; i++)
        {
            var digit = i < fraction.Length ? fraction[i] - '0' : 0;
            nanoseconds = nanoseconds * 10 + (digit is >= 0 and <= 9 ? digit : throw TarEntry.Invalid("a pax record holds no time"));
        }

        if (value[0] == '-' && nanoseconds > 0)
            return new FileCalls.TimeSpec { Seconds = seconds - 1, Nanoseconds = 1_000_000_000 - nanoseconds };
        return new FileCalls.TimeSpec { Seconds = seconds, Nanoseconds = nanoseconds };
    }
}
