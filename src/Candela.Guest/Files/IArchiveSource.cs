namespace Candela.Guest.Files;

/// <summary>A stream for the host that is made while it is read.</summary>
internal interface IArchiveSource : IDisposable
{
    /// <summary>Fills the buffer with the next bytes; 0 only after the last one.</summary>
    /// <exception cref="AgentFailure">Something cannot be read: what was sent is not whole.</exception>
    int Read(Span<byte> buffer);
}
