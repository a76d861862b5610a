using System.Text;

namespace Candela.Identity.Ldif;

/// <summary>
/// Reads LDIF content records (RFC 2849), and change records that add. Values that name a file or address (<c>:&lt;</c>) are refused: reading
/// them would be done with the platform's rights.
/// </summary>
internal sealed class LdifReader(TextReader reader)
{
    /// <summary>Longest line after unfolding, characters.</summary>
    public const int LineLength = 1024 * 1024;

    /// <summary>Longest record, characters.</summary>
    public const int RecordLength = 16 * 1024 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly char[] _buffer = new char[4096];
    private string? _ahead;
    private int _aheadLine;
    private int _line;
    private int _start;
    private int _end;
    private bool _begun;

    /// <summary>The next record; null: the end.</summary>
    /// <exception cref="LdifFormatException">Not LDIF, too large, or a change that is no addition.</exception>
    public async Task<LdifRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        string? name = null;
        int first = 0, length = 0;
        var attributes = new List<(string Name, string Value)>();
        while (await ReadUnfoldedAsync(cancellationToken) is var (number, text))
        {
            if (text.Length == 0)
            {
                if (name is not null)
                    break;
                continue;
            }

            var (attribute, value) = Parse(number, text);
            length += text.Length;
            if (length > RecordLength)
                throw new LdifFormatException(first, $"a record has more than {RecordLength} characters");
            if (name is null)
            {
                if (!_begun && Is(attribute, "version"))
                {
                    _begun = true;
                    if (value.Trim() != "1")
                        throw new LdifFormatException(number, "only version 1 of LDIF can be read");
                    continue;
                }

                _begun = true;
                if (!Is(attribute, "dn"))
                    throw new LdifFormatException(number, "a record must begin with dn:");
                (name, first) = (value, number);
            }
            else if (Is(attribute, "changetype") && attributes.Count == 0)
            {
                if (!Is(value.Trim(), "add"))
                    throw new LdifFormatException(number, $"changetype {value} cannot be imported: only entries and their addition");
            }
            else
            {
                attributes.Add((attribute, value));
            }
        }

        return name is null ? null : new LdifRecord(first, name, attributes);
    }

    private static bool Is(string text, string wanted) => string.Equals(text, wanted, StringComparison.OrdinalIgnoreCase);

    private static (string Name, string Value) Parse(int line, string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0)
            throw new LdifFormatException(line, "expected NAME: VALUE");
        string name = text[..colon];
        if (name.Length > 256 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or ';' or '.')))
            throw new LdifFormatException(line, "not an attribute name");
        if (colon + 1 == text.Length)
            return (name, "");
        if (text[colon + 1] == '<')
            throw new LdifFormatException(line, "a value by URL (:<) is not read: put the value itself");
        if (text[colon + 1] != ':')
            return (name, text[(colon + 1)..].TrimStart(' '));
        try
        {
            return (name, StrictUtf8.GetString(Convert.FromBase64String(text[(colon + 2)..].Trim(' '))));
        }
        catch (FormatException)
        {
            throw new LdifFormatException(line, "not base64");
        }
        catch (DecoderFallbackException)
        {
            throw new LdifFormatException(line, $"the value of {name} is not text (UTF-8)");
        }
    }

    /// <summary>A line with those that continue it, comments left out.</summary>
    private async Task<(int Number, string Text)?> ReadUnfoldedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (number, text) = _ahead is { } ahead ? (_aheadLine, ahead) : (_line + 1, await ReadLineAsync(cancellationToken));
            _ahead = null;
            if (text is null)
                return null;
            if (text.StartsWith(' '))
                throw new LdifFormatException(number, "a line that continues another follows none");
            StringBuilder? folded = null;
            while (await ReadLineAsync(cancellationToken) is { } next)
            {
                if (text.Length == 0 || !next.StartsWith(' '))
                {
                    (_ahead, _aheadLine) = (next, _line);
                    break;
                }

                folded ??= new StringBuilder(text);
                if (folded.Append(next, 1, next.Length - 1).Length > LineLength)
                    throw new LdifFormatException(number, $"a line has more than {LineLength} characters");
            }

            if (!text.StartsWith('#'))
                return (number, folded?.ToString() ?? text);
        }
    }

    /// <summary>One line; StreamReader's own has no limit.</summary>
    private async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        StringBuilder? line = null;
        while (true)
        {
            if (_start == _end)
            {
                (_start, _end) = (0, await reader.ReadAsync(_buffer, cancellationToken));
                if (_end == 0)
                {
                    if (line is null)
                        return null;
                    _line++;
                    return line.ToString().TrimEnd('\r');
                }
            }

            int length = _buffer.AsSpan(_start, _end - _start).IndexOf('\n');
            bool whole = length >= 0;
            length = whole ? length : _end - _start;
            line ??= new StringBuilder();
            if (line.Append(_buffer, _start, length).Length > LineLength)
                throw new LdifFormatException(_line + 1, $"a line has more than {LineLength} characters");
            _start += length + (whole ? 1 : 0);
            if (!whole)
                continue;
            _line++;
            return line.ToString().TrimEnd('\r');
        }
    }
}
