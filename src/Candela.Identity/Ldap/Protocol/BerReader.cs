using System.Formats.Asn1;

namespace Candela.Identity.Ldap.Protocol;

/// <summary>
/// Reads BER as LDAP restricts it (RFC 4511, 5.1): definite lengths, primitive strings. Reads on from value to value, each with the tag that is
/// expected; allocates nothing.
/// </summary>
internal ref struct BerReader(ReadOnlySpan<byte> data)
{
    /// <summary>TRUE is FF (RFC 4511, 5.1), but clients are known to send others.</summary>
    private const byte False = 0;

    private const byte SequenceTag = 0x30;
    private const byte IndefiniteLength = 0x80;

    private ReadOnlySpan<byte> _rest = data;

    /// <summary>Nothing is left.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>
    /// Length of the value at the beginning of what has been received; null: more must be received to know.
    /// </summary>
    /// <exception cref="LdapProtocolException">No value begins like this, or it has more than the given bytes.</exception>
    public static int? MeasureMessage(ReadOnlySpan<byte> received, int maximum)
    {
        if (!received.IsEmpty && received[0] != SequenceTag)
            throw new LdapProtocolException("not an LDAP message");
        if (received.Length < 2)
            return null;
        int lengthBytes = received[1] > IndefiniteLength ? received[1] - IndefiniteLength : 0;
        if (lengthBytes > sizeof(int))
            throw TooLong(maximum);
        if (received.Length < 2 + lengthBytes)
            return null;
        if (!AsnDecoder.TryDecodeLength(received[1..], AsnEncodingRules.BER, out var length, out int consumed) || length is not { } content)
            throw new LdapProtocolException("not a length that LDAP allows");
        return content > maximum - 1 - consumed ? throw TooLong(maximum) : 1 + consumed + content;
    }

    /// <summary>Tag of the next value.</summary>
    public readonly Asn1Tag PeekTag() =>
        Asn1Tag.TryDecode(_rest, out var tag, out _) ? tag : throw new LdapProtocolException("a value is missing");

    /// <summary>The next value has this tag.</summary>
    public readonly bool NextIs(Asn1Tag tag) => !_rest.IsEmpty && Asn1Tag.TryDecode(_rest, out var next, out _) && next == tag;

    /// <summary>Content of the next value.</summary>
    public ReadOnlySpan<byte> Read(Asn1Tag expected)
    {
        if (!Asn1Tag.TryDecode(_rest, out var tag, out int tagLength))
            throw new LdapProtocolException("a value is missing");
        if (tag != expected)
            throw new LdapProtocolException($"expected {expected}, not {tag}");
        if (!AsnDecoder.TryDecodeLength(_rest[tagLength..], AsnEncodingRules.BER, out var length, out int consumed) || length is not { } content)
            throw new LdapProtocolException("not a length that LDAP allows");
        var value = _rest[(tagLength + consumed)..];
        if (content > value.Length)
            throw new LdapProtocolException("a value is longer than what it is in");
        _rest = value[content..];
        return value[..content];
    }

    /// <summary>Reader of what is in the next value.</summary>
    public BerReader ReadConstructed(Asn1Tag expected) => new(Read(expected));

    /// <summary>Reader of what is in the next SEQUENCE.</summary>
    public BerReader ReadSequence() => ReadConstructed(Asn1Tag.Sequence);

    /// <summary>Reader of what is in the next SET.</summary>
    public BerReader ReadSet() => ReadConstructed(Asn1Tag.SetOf);

    /// <summary>Content of the next OCTET STRING.</summary>
    public ReadOnlySpan<byte> ReadOctets() => Read(Asn1Tag.PrimitiveOctetString);

    /// <summary>The next OCTET STRING as text.</summary>
    public string ReadText() => Text(ReadOctets());

    /// <summary>The next BOOLEAN.</summary>
    public bool ReadBoolean(Asn1Tag? expected = null) =>
        Read(expected ?? Asn1Tag.Boolean) is [var value] ? value != False : throw new LdapProtocolException("a BOOLEAN has one byte");

    /// <summary>The next INTEGER.</summary>
    /// <param name="minimum">Least value.</param>
    /// <param name="maximum">Greatest value.</param>
    public int ReadInteger(int minimum, int maximum) => Number(Read(Asn1Tag.Integer), minimum, maximum);

    /// <summary>The next ENUMERATED.</summary>
    /// <param name="maximum">Greatest value; the least is 0.</param>
    public int ReadEnumerated(int maximum) => Number(Read(Asn1Tag.Enumerated), 0, maximum);

    /// <summary>Nothing may follow.</summary>
    public readonly void End()
    {
        if (!IsAtEnd)
            throw new LdapProtocolException("there is more in a value than belongs there");
    }

    /// <summary>UTF-8 as text.</summary>
    public static string Text(ReadOnlySpan<byte> value) => StrictUtf8.TextOf(value) ?? throw new LdapProtocolException("a text is not UTF-8");

    /// <summary>Content of an INTEGER or ENUMERATED as a number.</summary>
    public static int Number(ReadOnlySpan<byte> content, int minimum, int maximum)
    {
        if (content.Length is 0 or > sizeof(int))
            throw new LdapProtocolException("a number is out of range");
        int value = (sbyte)content[0];
        foreach (byte next in content[1..])
            value = (value << 8) | next;
        return value >= minimum && value <= maximum ? value : throw new LdapProtocolException("a number is out of range");
    }

    private static LdapProtocolException TooLong(int maximum) => new($"a message has at most {maximum} bytes here");
}
