namespace Candela.Model;

/// <summary>What to attach.</summary>
public sealed record AttachOptions
{
    /// <summary>Feed standard input.</summary>
    public bool Stdin { get; init; }

    /// <summary>Receive standard output.</summary>
    public bool Stdout { get; init; } = true;

    /// <summary>Receive standard error.</summary>
    public bool Stderr { get; init; } = true;

    /// <summary>First the log so far.</summary>
    public bool Logs { get; init; }

    /// <summary>Go on with what comes.</summary>
    public bool Stream { get; init; } = true;
}

/// <summary>An attached process. Dispose detaches; the process goes on.</summary>
public interface IProcessSession : IAsyncDisposable
{
    /// <summary>The process has a terminal (one stream, not multiplexed).</summary>
    bool Tty { get; }

    /// <summary>
    /// Output in order; completes when both streams have ended and the exit is known. The memory belongs to the receiver.
    /// A slow reader slows the process down, bounded by the guest's window.
    /// </summary>
    IAsyncEnumerable<OutputChunk> ReadOutputAsync(CancellationToken cancellationToken);

    /// <summary>Feeds standard input; waits for room. Input for a process that no longer reads is dropped.</summary>
    ValueTask WriteInputAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Ends standard input.</summary>
    ValueTask CloseInputAsync(CancellationToken cancellationToken);
}

/// <summary>A piece of output.</summary>
/// <param name="IsStderr">From standard error.</param>
/// <param name="Data">Bytes.</param>
public readonly record struct OutputChunk(bool IsStderr, ReadOnlyMemory<byte> Data);
