using System.Buffers;
using System.Buffers.Binary;
using System.Net.Security;
using Candela.Identity.Accounts;
using Candela.Identity.Kerberos;
using Candela.Identity.Ldap.Protocol;

namespace Candela.Identity.Ldap.Operations;

/// <summary>
/// Server's side of the GSSAPI mechanism (RFC 4752, 3.2) for one bind of several messages. Where nothing protects the connection the layer is
/// not optional: what follows is encrypted.
/// </summary>
internal sealed class SaslGssapi(TicketAcceptor tickets, bool isProtected) : IDisposable
{
    private const byte NoLayer = 1;
    private const byte Confidentiality = 4;
    private const int ChoiceBytes = 4;

    private readonly NegotiateAuthentication _context = TicketAcceptor.Begin(withSpnego: false);
    private bool _isAccepted;
    private Stage _stage;

    private enum Stage
    {
        /// <summary>Tokens of the mechanism.</summary>
        Negotiating,

        /// <summary>The client is to ask for what layers there are, by an empty message.</summary>
        Offering,

        /// <summary>The client is to choose.</summary>
        Choosing,

        /// <summary>The client has proved who it is.</summary>
        Done,
    }

    /// <summary>The client has proved who it is.</summary>
    public bool IsDone => _stage == Stage.Done;

    /// <summary>Nothing has been said yet.</summary>
    public bool IsNew { get; private set; } = true;

    /// <summary>Whose ticket it is, as text; empty: none has been accepted.</summary>
    public string Principal => _isAccepted ? TicketAcceptor.NameOf(_context) : "";

    /// <summary>Whom the client wants to act as; empty: whom it authenticates as.</summary>
    public string AuthorizationIdentity { get; private set; } = "";

    /// <summary>Largest message that the client takes, bytes, where what follows is encrypted; 0: it is not.</summary>
    public int LayerBytes { get; private set; }

    /// <summary>Account that the ticket is of; null: none that can sign in.</summary>
    public DirectoryEntry? FindAccount() => tickets.FindAccount(_context);

    /// <summary>Takes a message of the client.</summary>
    /// <returns>The answer; null: <see cref="IsDone"/>, or else refused.</returns>
    public byte[]? Step(ReadOnlySpan<byte> message)
    {
        IsNew = false;
        switch (_stage)
        {
            case Stage.Negotiating when message.Length <= TicketAcceptor.TokenBytes:
                var token = _context.GetOutgoingBlob(message, out var status);
                if (status == NegotiateAuthenticationStatusCode.ContinueNeeded)
                    return token ?? [];
                if (status != NegotiateAuthenticationStatusCode.Completed)
                    return null;
                _isAccepted = true;
                if (token is not { Length: > 0 })
                    return Offer();
                _stage = Stage.Offering;
                return token;
            case Stage.Offering when message.IsEmpty:
                return Offer();
            case Stage.Choosing when Choose(message):
                _stage = Stage.Done;
                return null;
            default:
                return null;
        }
    }

    /// <summary>Encrypts.</summary>
    public ReadOnlyMemory<byte> Wrap(ReadOnlySpan<byte> text)
    {
        var wrapped = new ArrayBufferWriter<byte>(text.Length + 256);
        lock (_context)
        {
            if (_context.Wrap(text, wrapped, requestEncryption: true, out bool isEncrypted) != NegotiateAuthenticationStatusCode.Completed || !isEncrypted)
                throw new IOException("a message cannot be encrypted any more");
        }

        return wrapped.WrittenMemory;
    }

    /// <summary>Decrypts.</summary>
    /// <exception cref="IOException">It was changed, or is not encrypted.</exception>
    public ReadOnlyMemory<byte> Unwrap(ReadOnlySpan<byte> message)
    {
        var text = new ArrayBufferWriter<byte>(Math.Max(1, message.Length));
        lock (_context)
        {
            if (_context.Unwrap(message, text, out bool wasEncrypted) != NegotiateAuthenticationStatusCode.Completed || !wasEncrypted)
                throw new IOException("a message was changed on its way, or is not encrypted");
        }

        return text.WrittenMemory;
    }

    public void Dispose() => _context.Dispose();

    /// <summary>The layers that there are, and the largest message that is taken (RFC 4752, 3.2).</summary>
    private byte[]? Offer()
    {
        _stage = Stage.Choosing;
        Span<byte> offer = stackalloc byte[ChoiceBytes];
        BinaryPrimitives.WriteInt32BigEndian(offer, isProtected ? 0 : LdapLimits.LayerBytes);
        offer[0] = isProtected ? NoLayer : Confidentiality;
        var wrapped = new ArrayBufferWriter<byte>();
        return _context.Wrap(offer, wrapped, requestEncryption: false, out _) == NegotiateAuthenticationStatusCode.Completed ? wrapped.WrittenSpan.ToArray() : null;
    }

    private bool Choose(ReadOnlySpan<byte> message)
    {
        var text = new ArrayBufferWriter<byte>(Math.Max(1, message.Length));
        if (_context.Unwrap(message, text, out _) != NegotiateAuthenticationStatusCode.Completed || text.WrittenCount < ChoiceBytes || text.WrittenSpan[0] != (isProtected ? NoLayer : Confidentiality))
            return false;
        const int LeastBytes = 1024;
        int bytes = BinaryPrimitives.ReadInt32BigEndian(text.WrittenSpan) & 0xffffff;
        if (!isProtected && bytes < LeastBytes)
            return false;
        LayerBytes = isProtected ? 0 : Math.Min(bytes, LdapLimits.LayerBytes);
        if (StrictUtf8.TextOf(text.WrittenSpan[ChoiceBytes..].ToArray()) is not { } identity)
            return false;
        AuthorizationIdentity = identity;
        return true;
    }
}
