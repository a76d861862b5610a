using Candela.Guest.Protocol;

namespace Candela.Guest.Files;

/// <summary>Unpacks a tar stream, which is pushed in pieces of any size, into a folder of the container.</summary>
internal sealed class ArchiveWriter : IDisposable
{
    /// <summary>Largest pax header or GNU long name, bytes.</summary>
    private const int MaximumSpecialBytes = 1024 * 1024;

    private readonly EntryWriter _entries;
    private readonly byte[] _block = new byte[TarHeader.BlockBytes];
    private int _blockLength;
    private State _state;
    private long _rest;
    private int _padding;
    private byte _specialType;
    private byte[] _special = [];
    private PaxRecords _records = new();
    private byte[]? _longName;
    private byte[]? _longLink;

    private ArchiveWriter(EntryWriter entries) => _entries = entries;

    private enum State
    {
        Header,
        Special,
        Content,
        Skip,
        Padding,
        Ended,
    }

    /// <summary>Starts to unpack into a folder of a root.</summary>
    /// <param name="root">The container's root.</param>
    /// <param name="path">The folder in it.</param>
    /// <param name="noOverwriteDirNonDir">Refuse to replace a folder by something else or the other way round.</param>
    /// <exception cref="AgentFailure">NoSuchPath; InvalidArgument when the path is no folder.</exception>
    public static ArchiveWriter Open(string root, string path, bool noOverwriteDirNonDir)
    {
        var confined = new ConfinedRoot(root);
        try
        {
            return new ArchiveWriter(new EntryWriter(confined, path, noOverwriteDirNonDir));
        }
        catch
        {
            confined.Dispose();
            throw;
        }
    }

    /// <summary>Ends unpacking; a file that is not complete is removed.</summary>
    public void Dispose() => _entries.Dispose();

    /// <summary>Unpacks the next bytes of the archive.</summary>
    /// <exception cref="AgentFailure">
    /// InvalidArgument: the archive is damaged or leads out of the folder. NoSpace, Failed and others: an entry could not be made.
    /// What was unpacked before stays; nothing may be written afterwards.
    /// </exception>
    public void Write(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            var count = _state == State.Ended ? data.Length : Consume(data);
            data = data[count..];
        }
    }

    /// <summary>Tells that the archive has ended: sets the times of folders.</summary>
    /// <exception cref="AgentFailure">InvalidArgument: it ends within an entry.</exception>
    public void Complete()
    {
        if (_state != State.Ended && (_state != State.Header || _blockLength > 0))
            throw TarEntry.Invalid("unexpected end");
        _entries.Finish();
    }

    private int Consume(ReadOnlySpan<byte> data)
    {
        if (_state == State.Header)
        {
            var part = int.Min(data.Length, TarHeader.BlockBytes - _blockLength);
            data[..part].CopyTo(_block.AsSpan(_blockLength));
            _blockLength += part;
            if (_blockLength == TarHeader.BlockBytes)
            {
                _blockLength = 0;
                BeginEntry();
            }

            return part;
        }

        var count = (int)long.Min(data.Length, _rest);
        if (_state == State.Content)
            _entries.Write(data[..count]);
        else if (_state == State.Special)
            data[..count].CopyTo(_special.AsSpan(_special.Length - (int)_rest));
        _rest -= count;
        if (_rest == 0)
            EndPart();
        return count;
    }

    private void BeginEntry()
    {
        if (TarEntry.IsEnd(_block))
        {
            _state = State.Ended;
            return;
        }

        var isSpecial = _block[TarEntry.TypeOffset] is TarHeader.PaxHeader or TarHeader.PaxGlobalHeader or TarHeader.GnuLongName or TarHeader.GnuLongLink;
        var entry = isSpecial ? TarEntry.Parse(_block, new PaxRecords(), null, null) : TarEntry.Parse(_block, _records, _longName, _longLink);
        _padding = (int)(-entry.Size & (TarHeader.BlockBytes - 1));
        _rest = entry.Size;
        switch (entry.Type)
        {
            case TarHeader.PaxHeader or TarHeader.GnuLongName or TarHeader.GnuLongLink:
                if (entry.Size > MaximumSpecialBytes)
                    throw new AgentFailure(AgentError.LimitExceeded, $"invalid tar archive: a header is larger than {MaximumSpecialBytes} bytes");
                _specialType = entry.Type;
                _special = new byte[entry.Size];
                _state = State.Special;
                break;
            case TarHeader.PaxGlobalHeader:
                _state = State.Skip;
                break;
            default:
                _records = new PaxRecords();
                _longName = _longLink = null;
                _state = _entries.Begin(entry) ? State.Content : State.Skip;
                break;
        }

        if (_rest == 0)
            EndPart();
    }

    private void EndPart()
    {
        if (_state == State.Content)
            _entries.End();
        else if (_state == State.Special)
            EndSpecial();
        _state = _state != State.Padding && _padding > 0 ? State.Padding : State.Header;
        _rest = _padding;
    }

    private void EndSpecial()
    {
        switch (_specialType)
        {
            case TarHeader.PaxHeader:
                _records = PaxRecords.Parse(_special);
                break;
            case TarHeader.GnuLongName:
                _longName = _special.AsSpan().TrimEnd((byte)0).ToArray();
                break;
            default:
                _longLink = _special.AsSpan().TrimEnd((byte)0).ToArray();
                break;
        }

        _special = [];
    }
}
