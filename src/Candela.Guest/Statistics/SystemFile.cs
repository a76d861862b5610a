using System.Buffers.Text;
using System.Text;
using Candela.Guest.Files;

namespace Candela.Guest.Statistics;

/// <summary>Small files of /proc and of cgroups.</summary>
internal static class SystemFile
{
    /// <summary>The first bytes of a file, as many as the buffer takes; empty when it cannot be read: its process ended, or the kernel has no such figure.</summary>
    public static ReadOnlySpan<byte> Read(string path, Span<byte> buffer)
    {
        var number = FileCalls.OpenAt(FileCalls.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'), FileCalls.O_RDONLY);
        if (number < 0)
            return default;
        using var file = new Descriptor(number);
        var length = 0;
        while (length < buffer.Length)
        {
            var count = FileCalls.Read(number, buffer[length..]);
            if (count < 0)
                return default;
            if (count == 0)
                break;
            length += count;
        }

        return buffer[..length];
    }

    /// <summary>A file that holds one number; null when there is none ("max" is none).</summary>
    public static long? ReadNumber(string path)
    {
        Span<byte> buffer = stackalloc byte[64];
        return Number(Read(path, buffer));
    }

    /// <summary>The number that a text begins with, after blanks.</summary>
    public static long? Number(ReadOnlySpan<byte> text) =>
        Utf8Parser.TryParse(text.TrimStart(" \t"u8), out long value, out _) ? value : null;

    /// <summary>The number of a line "KEY NUMBER"; 0 when there is none.</summary>
    public static long Figure(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key) => Number(Line(text, key)) ?? 0;

    /// <summary>What comes after a key and a blank at the begin of a line; empty when no line begins so.</summary>
    public static ReadOnlySpan<byte> Line(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key)
    {
        while (!text.IsEmpty)
        {
            var line = NextLine(ref text);
            if (line.Length > key.Length && line.StartsWith(key) && line[key.Length] is (byte)' ' or (byte)'\t')
                return line[(key.Length + 1)..];
        }

        return default;
    }

    /// <summary>Takes the first line off a text.</summary>
    public static ReadOnlySpan<byte> NextLine(scoped ref ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf((byte)'\n');
        var line = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        return line;
    }

    /// <summary>Takes the first word off a text; empty at its end.</summary>
    public static ReadOnlySpan<byte> NextWord(scoped ref ReadOnlySpan<byte> text)
    {
        text = text.TrimStart(" \t"u8);
        var end = text.IndexOfAny((byte)' ', (byte)'\t');
        var word = end < 0 ? text : text[..end];
        text = text[word.Length..];
        return word;
    }
}
