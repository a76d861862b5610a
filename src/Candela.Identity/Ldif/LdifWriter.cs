using System.Text;

namespace Candela.Identity.Ldif;

/// <summary>Writes LDIF content records (RFC 2849).</summary>
internal sealed class LdifWriter(TextWriter writer)
{
    /// <summary>Characters of a line, before it is folded (RFC 2849, note 2 allows any).</summary>
    private const int LineLength = 76;

    private bool _begun;

    public async Task WriteAsync(LdifRecord record)
    {
        if (!_begun)
            await writer.WriteAsync("version: 1\n");
        _begun = true;
        await writer.WriteAsync('\n');
        await WriteAsync("dn", record.Name);
        foreach (var (name, value) in record.Attributes)
            await WriteAsync(name, value);
    }

    private async Task WriteAsync(string name, string value)
    {
        var line = IsSafe(value) ? $"{name}: {value}" : $"{name}:: {Convert.ToBase64String(Encoding.UTF8.GetBytes(value))}";
        for (int at = 0; at < line.Length;)
        {
            // A line that continues another has a space more.
            int length = Math.Min(at == 0 ? LineLength : LineLength - 1, line.Length - at);
            if (at > 0)
                await writer.WriteAsync(' ');
            await writer.WriteAsync(line.AsMemory(at, length));
            await writer.WriteAsync('\n');
            at += length;
        }
    }

    /// <summary>SAFE-STRING that does not end with a space (RFC 2849, note 8).</summary>
    private static bool IsSafe(string value) =>
        value.Length > 0 && value[0] is not (' ' or ':' or '<') && value[^1] != ' ' && !value.AsSpan().ContainsAnyExceptInRange('\x01', '\x7f') && !value.AsSpan().ContainsAny('\r', '\n');
}
