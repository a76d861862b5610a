using System.Buffers;
using System.Formats.Asn1;
using System.Text;
using Candela.Identity.Ldap.Server;

namespace Candela.Identity.Ldap.Protocol;

/// <summary>Writes messages of the server (RFC 4511). Each thread has a buffer of its own, in which one message at a time is made.</summary>
internal static class ResponseWriter
{
    /// <summary>Largest buffer that is kept, bytes.</summary>
    private const int KeptBytes = 256 * 1024;

    /// <summary>Longest text that is converted on the stack, bytes.</summary>
    private const int StackBytes = 512;

    [ThreadStatic]
    private static AsnWriter? _kept;

    /// <summary>Begins a message.</summary>
    public static AsnWriter Begin(int id)
    {
        var writer = _kept ?? new AsnWriter(AsnEncodingRules.BER, initialCapacity: 1024);
        _kept = null;
        writer.PushSequence();
        writer.WriteInteger(id);
        return writer;
    }

    /// <summary>Ends a message.</summary>
    public static void End(AsnWriter writer, OutputQueue output)
    {
        writer.PopSequence();
        output.Append(writer);
        int length = writer.GetEncodedLength();
        writer.Reset();
        if (length <= KeptBytes)
            _kept = writer;
    }

    /// <summary>Writes a message that ends an operation, or with number 0 one that nobody asked for (RFC 4511, 4.4).</summary>
    public static void Write(OutputQueue output, int id, Asn1Tag tag, LdapAnswer answer)
    {
        var writer = Begin(id);
        writer.PushSequence(tag);
        writer.WriteEnumeratedValue(answer.Result.Code);
        WriteText(writer, answer.Result.MatchedName);
        WriteText(writer, answer.Result.Message);
        if (answer.Name is not null)
            WriteText(writer, answer.Name, LdapTags.Context(10));
        if (answer.Value is not null)
            writer.WriteOctetString(answer.Value, LdapTags.Context(tag == LdapTags.BindResponse ? 7 : 11));
        writer.PopSequence(tag);
        if (answer.Control is not null)
            Write(writer, answer.Control);
        End(writer, output);
    }

    /// <summary>The response that ends an operation; null: it has none.</summary>
    public static Asn1Tag? ResponseOf(LdapRequest request) => request switch
    {
        BindRequest => LdapTags.BindResponse,
        SearchRequest => LdapTags.SearchResultDone,
        ModifyRequest => LdapTags.ModifyResponse,
        AddRequest => LdapTags.AddResponse,
        DeleteRequest => LdapTags.DelResponse,
        ModifyDnRequest => LdapTags.ModifyDnResponse,
        CompareRequest => LdapTags.CompareResponse,
        ExtendedRequest => LdapTags.ExtendedResponse,
        RefusedRequest refused => refused.Response,
        _ => null,
    };

    /// <summary>Writes a text as OCTET STRING.</summary>
    public static void WriteText(AsnWriter writer, ReadOnlySpan<char> text, Asn1Tag? tag = null)
    {
        int maximum = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (maximum <= StackBytes)
        {
            Span<byte> bytes = stackalloc byte[StackBytes];
            writer.WriteOctetString(bytes[..Encoding.UTF8.GetBytes(text, bytes)], tag);
            return;
        }

        var rented = ArrayPool<byte>.Shared.Rent(maximum);
        writer.WriteOctetString(rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented)), tag);
        ArrayPool<byte>.Shared.Return(rented);
    }

    private static void Write(AsnWriter writer, LdapControl control)
    {
        var tag = LdapTags.Context(0, constructed: true);
        writer.PushSequence(tag);
        writer.PushSequence();
        WriteText(writer, control.Type);
        if (control.IsCritical)
            writer.WriteBoolean(true);
        if (control.Value is { } value)
            writer.WriteOctetString(value);
        writer.PopSequence();
        writer.PopSequence(tag);
    }
}
