using System.Buffers;
using System.Formats.Asn1;
using System.Net.Security;
using System.Text;
using Candela.Identity.Ldap.Protocol;

namespace Candela.Identity.Federation.Ldap;

/// <summary>One connection to an LDAP directory (RFC 4511), under TLS before anything else is said; one operation at a time.</summary>
internal sealed class LdapClient : IAsyncDisposable
{
    private const int MessageBytes = 1024 * 1024;
    private const int EntryCount = 1000;
    private const int LdapVersion = 3;
    private const int TimeLimitSeconds = 10;

    private Stream _stream;
    private readonly List<byte> _received = [];
    private int _id;

    private LdapClient(Stream stream) => _stream = stream;

    /// <summary>Connects, and begins TLS.</summary>
    public static async Task<LdapClient> ConnectAsync(UpstreamConnections connections, IdentityProvider provider, CancellationToken cancellationToken)
    {
        var upstream = provider.Ldap!;
        var client = new LdapClient(await connections.ConnectAsync(provider, upstream.Host, upstream.Port, cancellationToken));
        try
        {
            if (upstream.StartTls)
                await client.StartTlsAsync(cancellationToken);
            var tls = new SslStream(client._stream, leaveInnerStreamOpen: false);
            client._stream = tls;
            await tls.AuthenticateAsClientAsync(connections.TlsOf(provider, upstream.Host), cancellationToken);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Binds (section 4.2).</summary>
    /// <returns>False: name or password are wrong.</returns>
    /// <exception cref="LdapException">It is refused for another reason.</exception>
    public async Task<bool> TryBindAsync(string name, string password, CancellationToken cancellationToken)
    {
        // RFC 4513, section 5.1.2: a name without a password binds as nobody, with success.
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(password);
        await SendAsync(LdapTags.BindRequest, writer =>
        {
            writer.WriteInteger(LdapVersion);
            ResponseWriter.WriteText(writer, name);
            ResponseWriter.WriteText(writer, password, LdapTags.Context(0));
        }, cancellationToken);
        var result = ReadResult(await ReceiveAsync(cancellationToken), LdapTags.BindResponse);
        return result.Code switch
        {
            ResultCode.Success => true,
            // Active Directory and others say so of disabled and expired accounts, too.
            ResultCode.InvalidCredentials or ResultCode.NoSuchObject or ResultCode.InappropriateAuthentication or ResultCode.InvalidDnSyntax or ResultCode.ConstraintViolation => false,
            _ => throw new LdapException(result.Code, $"the bind ended with {result.Code}"),
        };
    }

    /// <summary>Entries below a base for which one of the attributes has one of the values, and that are of an object class.</summary>
    /// <param name="baseName">Base.</param>
    /// <param name="objectClass">Object class; null: any.</param>
    /// <param name="values">Attributes and values: one of them is enough. They are no part of a filter's text, so that none can change its meaning.</param>
    /// <param name="attributes">What to read.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Names, and attributes by name without regard to case.</returns>
    public async Task<IReadOnlyList<LdapEntry>> SearchAsync(
        string baseName, string? objectClass, IReadOnlyList<(string Attribute, string Value)> values, IReadOnlyList<string> attributes, CancellationToken cancellationToken)
    {
        await SendAsync(LdapTags.SearchRequest, writer =>
        {
            ResponseWriter.WriteText(writer, baseName);
            WriteEnumerated(writer, 2); // wholeSubtree
            WriteEnumerated(writer, 0); // neverDerefAliases
            writer.WriteInteger(EntryCount);
            writer.WriteInteger(TimeLimitSeconds);
            writer.WriteBoolean(false);
            var and = LdapTags.Context(0, constructed: true);
            var or = LdapTags.Context(1, constructed: true);
            writer.PushSetOf(and);
            if (objectClass is not null)
                WriteEquality(writer, "objectClass", objectClass);
            writer.PushSetOf(or);
            foreach (var (attribute, value) in values)
                WriteEquality(writer, attribute, value);
            writer.PopSetOf(or);
            writer.PopSetOf(and);
            using (writer.PushSequence())
            {
                foreach (var attribute in attributes)
                    ResponseWriter.WriteText(writer, attribute);
            }
        }, cancellationToken);
        var found = new List<LdapEntry>();
        while (true)
        {
            var message = await ReceiveAsync(cancellationToken);
            var tag = TagOf(message);
            if (tag == LdapTags.SearchResultEntry)
            {
                if (found.Count == EntryCount)
                    throw new LdapProtocolException("the directory sends more entries than were asked for");
                found.Add(ReadEntry(message));
            }
            else if (tag == LdapTags.SearchResultDone)
            {
                var result = ReadResult(message, tag);
                return result.Code is ResultCode.Success or ResultCode.NoSuchObject ? found : throw new LdapException(result.Code, $"the search ended with {result.Code}");
            }

            // Else a reference to another directory (section 4.5.3): whom nobody has named is not asked.
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task StartTlsAsync(CancellationToken cancellationToken)
    {
        await SendAsync(LdapTags.ExtendedRequest, writer => ResponseWriter.WriteText(writer, LdapOids.StartTls, LdapTags.Context(0)), cancellationToken);
        var result = ReadResult(await ReceiveAsync(cancellationToken), LdapTags.ExtendedResponse);
        if (result.Code != ResultCode.Success)
            throw new LdapException(result.Code, $"StartTLS ended with {result.Code}");
        // What came behind the answer in clear is not the directory's (RFC 4513, section 3.1.1).
        if (_received.Count > 0)
            throw new LdapProtocolException("there is more behind the answer to StartTLS");
    }

    private async Task SendAsync(Asn1Tag tag, Action<AsnWriter> write, CancellationToken cancellationToken)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(++_id);
            writer.PushSequence(tag);
            write(writer);
            writer.PopSequence(tag);
        }

        await _stream.WriteAsync(writer.Encode(), cancellationToken);
        await _stream.FlushAsync(cancellationToken);
    }

    /// <summary>The next message; of another operation there is none.</summary>
    private async Task<byte[]> ReceiveAsync(CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            while (true)
            {
                if (BerReader.MeasureMessage([.. _received.Take(8)], MessageBytes) is { } length && _received.Count >= length)
                {
                    byte[] message = [.. _received.Take(length)];
                    _received.RemoveRange(0, length);
                    return message;
                }

                var read = await _stream.ReadAsync(buffer, cancellationToken);
                if (read == 0)
                    throw new IOException("the directory has closed the connection");
                _received.AddRange(buffer.AsSpan(0, read));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private Asn1Tag TagOf(byte[] message) => Open(message).PeekTag();

    private LdapResult ReadResult(byte[] message, Asn1Tag tag)
    {
        var result = Open(message).ReadConstructed(tag);
        // What it says in words may be anything: it is not repeated.
        return new LdapResult((ResultCode)result.ReadEnumerated(0x4000));
    }

    private LdapEntry ReadEntry(byte[] message)
    {
        var entry = Open(message).ReadConstructed(LdapTags.SearchResultEntry);
        var name = entry.ReadText();
        var attributes = new Dictionary<string, IReadOnlyList<byte[]>>(StringComparer.OrdinalIgnoreCase);
        var list = entry.ReadSequence();
        while (!list.IsAtEnd)
        {
            var attribute = list.ReadSequence();
            var type = attribute.ReadText();
            var set = attribute.ReadSet();
            var values = new List<byte[]>();
            while (!set.IsAtEnd)
                values.Add(set.ReadOctets().ToArray());
            attributes[type] = values;
        }

        return new LdapEntry(name, attributes);
    }

    /// <summary>Reader behind the number of a message, which must be that of the one operation there is.</summary>
    private BerReader Open(byte[] message)
    {
        var reader = new BerReader(message).ReadSequence();
        return reader.ReadInteger(0, int.MaxValue) == _id ? reader : throw new LdapProtocolException("the directory ends the connection, or answers what was not asked");
    }

    private static void WriteEquality(AsnWriter writer, string attribute, string value)
    {
        var tag = LdapTags.Context(3, constructed: true);
        writer.PushSequence(tag);
        ResponseWriter.WriteText(writer, attribute);
        writer.WriteOctetString(Encoding.UTF8.GetBytes(value));
        writer.PopSequence(tag);
    }

    private static void WriteEnumerated(AsnWriter writer, byte value) => writer.WriteEncodedValue([0x0A, 1, value]);
}

/// <summary>An entry that was found.</summary>
/// <param name="Name">Distinguished name.</param>
/// <param name="Attributes">Values by attribute.</param>
internal sealed record LdapEntry(string Name, IReadOnlyDictionary<string, IReadOnlyList<byte[]>> Attributes)
{
    /// <summary>Texts among an attribute's values.</summary>
    public IEnumerable<string> Texts(string attribute) => Attributes.GetValueOrDefault(attribute)?.Select(value => StrictUtf8.TextOf(value)).OfType<string>() ?? [];

    /// <summary>The first text of an attribute.</summary>
    public string? Text(string attribute) => Texts(attribute).FirstOrDefault();
}
