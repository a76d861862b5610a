namespace Candela.Model;

/// <summary>Which log entries.</summary>
public sealed record LogOptions
{
    /// <summary>Go on until the container ends.</summary>
    public bool Follow { get; init; }

    /// <summary>With standard output.</summary>
    public bool Stdout { get; init; } = true;

    /// <summary>With standard error.</summary>
    public bool Stderr { get; init; } = true;

    /// <summary>Last so many lines; null: all.</summary>
    public int? Tail { get; init; }

    /// <summary>Not before.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Not after.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>A log entry: a line with its newline, or a part of a long or unfinished one.</summary>
/// <param name="TimestampNanoseconds">Nanoseconds since the Unix epoch.</param>
/// <param name="IsStderr">From standard error.</param>
/// <param name="Line">Bytes as written.</param>
public readonly record struct LogEntry(long TimestampNanoseconds, bool IsStderr, ReadOnlyMemory<byte> Line);
