using Candela.Guest.Protocol;

namespace Candela.Guest.Channel;

/// <summary>Puts the parts of a large request together. The host sends them one after another; anything else drops what was begun.</summary>
internal sealed class MessageAssembler
{
    private byte[] _parts = [];
    private int _length;
    private FrameHeader _first;

    /// <summary>Forgets a request that was begun.</summary>
    public void Clear()
    {
        _parts = [];
        _length = 0;
    }

    /// <summary>True: <paramref name="payload"/> is the whole message now, valid until the next frame.</summary>
    /// <exception cref="MalformedMessageException">The message is larger than <see cref="ProtocolLimits.MessageBytes"/>.</exception>
    public bool Add(FrameHeader header, ref ReadOnlySpan<byte> payload)
    {
        if (_length > 0 && (_first.Type != header.Type || _first.Request != header.Request || _first.Process != header.Process))
            Clear();
        if (!header.More && _length == 0)
            return true;
        if (_length + payload.Length > ProtocolLimits.MessageBytes)
        {
            Clear();
            throw new MalformedMessageException($"The message is larger than {ProtocolLimits.MessageBytes} bytes.");
        }
        _first = header;
        if (_parts.Length < _length + payload.Length)
            Array.Resize(ref _parts, Math.Max(_parts.Length * 2, _length + payload.Length));
        payload.CopyTo(_parts.AsSpan(_length));
        _length += payload.Length;
        if (header.More)
            return false;
        payload = _parts.AsSpan(0, _length);
        Clear();
        return true;
    }
}
