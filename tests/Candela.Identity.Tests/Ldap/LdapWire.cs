using System.Formats.Asn1;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Candela.Identity.Tests.Ldap;

/// <summary>A client that says what it is told, good or bad.</summary>
public sealed class LdapWire : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _received = [];

    public static async Task<LdapWire> ConnectAsync(IPEndPoint endpoint)
    {
        var wire = new LdapWire();
        await wire._socket.ConnectAsync(endpoint);
        return wire;
    }

    public async Task SendAsync(params byte[] bytes)
    {
        using var ending = new CancellationTokenSource(Deadline);
        for (int sent = 0; sent < bytes.Length;)
            sent += await _socket.SendAsync(bytes.AsMemory(sent), ending.Token);
    }

    /// <summary>The next message; null: the server has ended the connection.</summary>
    public async Task<Answer?> ReceiveAsync()
    {
        using var ending = new CancellationTokenSource(Deadline);
        var buffer = new byte[64 * 1024];
        while (true)
        {
            if (AsnDecoder.TryReadEncodedValue(_received, AsnEncodingRules.BER, out _, out _, out _, out int length))
            {
                var message = _received[..length];
                _received = _received[length..];
                return Answer.Read(message);
            }

            int count;
            try
            {
                count = await _socket.ReceiveAsync(buffer, ending.Token);
            }
            catch (SocketException)
            {
                count = 0;
            }

            if (count == 0)
                return null;
            _received = [.. _received, .. buffer.AsSpan(0, count)];
        }
    }

    /// <summary>Sends a message and takes the next one.</summary>
    public async Task<Answer?> AskAsync(byte[] message)
    {
        await SendAsync(message);
        return await ReceiveAsync();
    }

    public void Dispose() => _socket.Dispose();

    public static byte[] Message(int id, Action<AsnWriter> request, Action<AsnWriter>? controls = null)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        writer.PushSequence();
        writer.WriteInteger(id);
        request(writer);
        controls?.Invoke(writer);
        writer.PopSequence();
        return writer.Encode();
    }

    public static byte[] Bind(int id, string name, string password, int version = 3) => Message(id, writer =>
    {
        using (writer.PushSequence(Application(0)))
        {
            writer.WriteInteger(version);
            Text(writer, name);
            Text(writer, password, new Asn1Tag(TagClass.ContextSpecific, 0));
        }
    });

    public static byte[] Extended(int id, string name, byte[]? value = null) => Message(id, writer =>
    {
        using (writer.PushSequence(Application(23)))
        {
            Text(writer, name, new Asn1Tag(TagClass.ContextSpecific, 0));
            if (value is not null)
                writer.WriteOctetString(value, new Asn1Tag(TagClass.ContextSpecific, 1));
        }
    });

    public static byte[] Abandon(int id, int abandoned) => Message(id, writer => writer.WriteInteger(abandoned, new Asn1Tag(TagClass.Application, 16)));

    public static byte[] Search(int id, string baseName, Action<AsnWriter>? filter = null, int scope = 2, Action<AsnWriter>? controls = null, params string[] attributes) => Message(
        id,
        writer =>
        {
            using (writer.PushSequence(Application(3)))
            {
                Text(writer, baseName);
                writer.WriteEnumeratedValue((Scope)scope);
                writer.WriteEnumeratedValue((Scope)0);
                writer.WriteInteger(0);
                writer.WriteInteger(0);
                writer.WriteBoolean(false);
                (filter ?? (w => Text(w, "objectClass", new Asn1Tag(TagClass.ContextSpecific, 7))))(writer);
                using (writer.PushSequence())
                {
                    foreach (var attribute in attributes)
                        Text(writer, attribute);
                }
            }
        },
        controls);

    /// <summary>A filter that is inside of so many others.</summary>
    public static Action<AsnWriter> Nested(int depth) => writer =>
    {
        var not = new Asn1Tag(TagClass.ContextSpecific, 2, isConstructed: true);
        for (int i = 0; i < depth; i++)
            writer.PushSequence(not);
        Text(writer, "uid", new Asn1Tag(TagClass.ContextSpecific, 7));
        for (int i = 0; i < depth; i++)
            writer.PopSequence(not);
    };

    public static Action<AsnWriter> Equal(string attribute, string value) => writer =>
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3, isConstructed: true)))
        {
            Text(writer, attribute);
            Text(writer, value);
        }
    };

    public static Action<AsnWriter> Control(string type, bool isCritical, byte[]? value = null) => writer =>
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true)))
        using (writer.PushSequence())
        {
            Text(writer, type);
            writer.WriteBoolean(isCritical);
            if (value is not null)
                writer.WriteOctetString(value);
        }
    };

    public static void Text(AsnWriter writer, string text, Asn1Tag? tag = null) => writer.WriteOctetString(Encoding.UTF8.GetBytes(text), tag);

    private static Asn1Tag Application(int number) => new(TagClass.Application, number, isConstructed: true);

    private enum Scope
    {
        Base,
    }

    /// <summary>A message of the server.</summary>
    /// <param name="Id">Number.</param>
    /// <param name="Operation">Which response.</param>
    /// <param name="Code">Result code; -1: it has none.</param>
    /// <param name="Text">Diagnostic message, or the name of an entry.</param>
    public sealed record Answer(int Id, int Operation, int Code, string Text)
    {
        public static Answer Read(byte[] message)
        {
            var reader = new AsnReader(message, AsnEncodingRules.BER).ReadSequence();
            reader.TryReadInt32(out int id);
            var tag = reader.PeekTag();
            var body = reader.ReadSequence(tag);
            if (tag.TagValue == 4)
                return new Answer(id, 4, -1, Encoding.UTF8.GetString(body.ReadOctetString()));
            int code = body.ReadEnumeratedBytes().Span[0];
            body.ReadOctetString();
            return new Answer(id, tag.TagValue, code, Encoding.UTF8.GetString(body.ReadOctetString()));
        }
    }
}
