using Candela.Guest.Channel;
using Candela.Guest.Files;
using Candela.Guest.Protocol;

namespace Candela.Guest.Archives;

/// <summary>A stream of the container's files on its way to the host, no faster than the host grants.</summary>
internal sealed class ArchiveDownload(uint request, IArchiveSource archive) : IDisposable
{
    private ulong _credit = ProtocolLimits.ArchiveWindowBytes;

    /// <summary>The host may be sent something.</summary>
    public bool CanSend => _credit > 0;

    /// <summary>The host has taken <paramref name="bytes"/>.</summary>
    public void Grant(ulong bytes) => _credit = Math.Min(_credit + Math.Min(bytes, ProtocolLimits.ArchiveWindowBytes), ProtocolLimits.ArchiveWindowBytes);

    /// <summary>Appends the next frame; false: it was the last one.</summary>
    /// <exception cref="AgentFailure">The archive cannot be completed.</exception>
    public bool SendNext(FrameSender sender)
    {
        var most = (int)Math.Min(_credit, ProtocolLimits.DataFrameBytes);
        var count = archive.Read(sender.Begin(most));
        sender.Commit(new FrameHeader(FrameType.ArchiveDown, 0, 0, 0, request, 0), count);
        _credit -= (ulong)count;
        return count > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => archive.Dispose();
}
