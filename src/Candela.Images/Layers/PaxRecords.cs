using System.Buffers.Text;
using System.Text;

namespace Candela.Images.Layers;

/// <summary>The records of a pax extension header that matter here.</summary>
internal sealed record PaxRecords
{
    private const string AttributePrefix = "SCHILY.xattr.";

    public static readonly PaxRecords None = new();

    public string? Path { get; private init; }

    public string? LinkPath { get; private init; }

    public long? Size { get; private init; }

    public long? UserId { get; private init; }

    public long? GroupId { get; private init; }

    public long? ModifiedSeconds { get; private init; }

    public bool IsSparse { get; private init; }

    public IReadOnlyList<ExtendedAttribute> Attributes { get; private init; } = [];

    /// <summary>Parses <c>LENGTH KEY=VALUE\n</c> records.</summary>
    public static PaxRecords Parse(ReadOnlySpan<byte> text, ImageLimits limits)
    {
        PaxRecords result = None;
        Dictionary<string, byte[]> attributes = new(StringComparer.Ordinal);
        int attributeBytes = 0;
        while (text.Length > 0)
        {
            ReadOnlySpan<byte> record = Cut(ref text);
            int equals = record.IndexOf((byte)'=');
            if (equals <= 0)
                throw Malformed();
            string key = Encoding.Latin1.GetString(record[..equals]);
            ReadOnlySpan<byte> value = record[(equals + 1)..];
            if (key.StartsWith(AttributePrefix, StringComparison.Ordinal))
            {
                attributeBytes += key.Length + value.Length;
                if (attributeBytes > limits.ExtendedAttributeBytes)
                    throw LayerException.Invalid($"extended attributes of more than {limits.ExtendedAttributeBytes} bytes");
                string name = key[AttributePrefix.Length..];
                if (IsKept(name))
                    attributes[name] = value.ToArray();
                continue;
            }

            if (key.StartsWith("GNU.sparse.", StringComparison.Ordinal))
                result = result with { IsSparse = true };
            if (value.Length == 0)
                continue;
            result = key switch
            {
                "path" => result with { Path = Name(value) },
                "linkpath" => result with { LinkPath = Name(value) },
                "size" => result with { Size = Integer(value) },
                "uid" => result with { UserId = Integer(value) },
                "gid" => result with { GroupId = Integer(value) },
                "mtime" => result with { ModifiedSeconds = Integer(value[..IndexOrEnd(value, (byte)'.')]) },
                _ => result,
            };
        }

        return attributes.Count == 0
            ? result
            : result with { Attributes = [.. attributes.OrderBy(static a => a.Key, StringComparer.Ordinal).Select(static a => new ExtendedAttribute(a.Key, a.Value))] };
    }

    /// <summary>
    /// squashfs stores these namespaces only. overlayfs's own attributes are left out: in the guest they would be taken as its orders.
    /// </summary>
    private static bool IsKept(string name)
    {
        const int nameMaximum = 255; // XATTR_NAME_MAX
        if (name.Length > nameMaximum || name.AsSpan().IndexOfAny('=', '\0', '\n') >= 0)
            return false;
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && dot < name.Length - 1 && name[..dot] is "user" or "trusted" or "security" && !name.AsSpan(dot + 1).StartsWith("overlay.");
    }

    private static ReadOnlySpan<byte> Cut(ref ReadOnlySpan<byte> text)
    {
        int space = text.IndexOf((byte)' ');
        if (space <= 0 || !Utf8Parser.TryParse(text[..space], out int length, out int used) || used != space || length <= space + 1 || length > text.Length || text[length - 1] != '\n')
            throw Malformed();
        ReadOnlySpan<byte> record = text[(space + 1)..(length - 1)];
        text = text[length..];
        return record;
    }

    private static string Name(ReadOnlySpan<byte> value) =>
        value.Contains((byte)0) ? throw Malformed() : Encoding.Latin1.GetString(value);

    private static long Integer(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out long number, out int used) && used == value.Length ? number : throw Malformed();

    private static int IndexOrEnd(ReadOnlySpan<byte> text, byte mark) => text.IndexOf(mark) is var index && index < 0 ? text.Length : index;

    private static Model.CandelaException Malformed() => LayerException.Invalid("a malformed pax header");
}
