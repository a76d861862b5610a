using Candela.Images;
using Candela.Model;

namespace Candela.Controller.Api.Http;

// Bodies that are not resources of the model themselves.

/// <summary>Creation of a container.</summary>
internal sealed record CreateContainerRequest
{
    /// <summary>Name; absent: made up.</summary>
    public string? Name { get; init; }

    /// <summary>What is asked for.</summary>
    public required ContainerSpec Spec { get; init; }
}

/// <summary>A process to run beside the main one.</summary>
internal sealed record CreateExecRequest
{
    /// <summary>Program and arguments.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Environment over the container's.</summary>
    public IReadOnlyList<string>? Environment { get; init; }

    /// <summary>Working directory; absent: the container's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>User; absent: the container's.</summary>
    public string? User { get; init; }

    /// <summary>Terminal.</summary>
    public bool Tty { get; init; }

    /// <summary>Attach standard input.</summary>
    public bool AttachStdin { get; init; }

    /// <summary>All capabilities.</summary>
    public bool Privileged { get; init; }
}

/// <summary>Start of an exec; rows and columns, both or none, are its terminal's.</summary>
internal sealed record StartExecRequest
{
    /// <summary>Do not attach.</summary>
    public bool Detach { get; init; }

    /// <summary>Rows of the terminal.</summary>
    public ushort? Rows { get; init; }

    /// <summary>Columns of the terminal.</summary>
    public ushort? Columns { get; init; }
}

/// <summary>Forks of a container.</summary>
internal sealed record ForkRequest
{
    /// <summary>How many.</summary>
    public required int Count { get; init; }

    /// <summary>A name for each; absent: made up.</summary>
    public IReadOnlyList<string>? Names { get; init; }
}

/// <summary>Fetches an image.</summary>
internal sealed record PullRequest
{
    /// <summary>Image reference.</summary>
    public required string Reference { get; init; }

    /// <summary>Credential for its registry.</summary>
    public CredentialBody? Credential { get; init; }
}

/// <summary>Credential for a registry.</summary>
internal sealed record CredentialBody
{
    /// <summary>User name; empty with a token.</summary>
    public required string Username { get; init; }

    /// <summary>Password.</summary>
    public required string Password { get; init; }

    /// <summary>OAuth2 refresh token that replaces the password.</summary>
    public string? IdentityToken { get; init; }
}

/// <summary>Another name for an image.</summary>
internal sealed record TagRequest
{
    /// <summary>The name.</summary>
    public required string Target { get; init; }
}

/// <summary>A parent to make ahead of need.</summary>
internal sealed record ParentRequest
{
    /// <summary>vCPUs of its clones.</summary>
    public required int VCpus { get; init; }

    /// <summary>Memory of its clones, bytes.</summary>
    public required long MemoryBytes { get; init; }
}

/// <summary>What a removal of unused images did.</summary>
internal sealed record PruneAnswer(IReadOnlyList<ImageRemoval> Removed, long FreedBytes);

/// <summary>A line of progress; the last one has an error, or the ids of the images that have come.</summary>
internal sealed record ProgressLine
{
    /// <summary>Layer; absent: about the whole.</summary>
    public string? Id { get; init; }

    /// <summary>What happens.</summary>
    public string? Status { get; init; }

    /// <summary>Bytes done.</summary>
    public long Current { get; init; }

    /// <summary>Bytes in all, 0: not known.</summary>
    public long Total { get; init; }

    /// <summary>What went wrong.</summary>
    public string? Error { get; init; }

    /// <summary>Kind of the error.</summary>
    public ErrorCode? Code { get; init; }

    /// <summary>Ids of the images, when all is done.</summary>
    public IReadOnlyList<string>? ImageIds { get; init; }
}

/// <summary>A line of a log, when it is read without candela-stream.</summary>
/// <param name="At">When it was written.</param>
/// <param name="Stream"><c>stdout</c> or <c>stderr</c>.</param>
/// <param name="Text">The line with its newline; bytes that are not UTF-8 are replaced.</param>
internal sealed record LogLine(DateTimeOffset At, string Stream, string Text);

/// <summary>How far the daemon is.</summary>
internal sealed record StatusAnswer
{
    /// <summary>Calls are served.</summary>
    public required bool Ready { get; init; }

    /// <summary>What is being prepared, for people.</summary>
    public string? Preparing { get; init; }

    /// <summary>Why the platform cannot get ready, for people.</summary>
    public string? Error { get; init; }

    /// <summary>Version of the daemon.</summary>
    public required string Version { get; init; }

    /// <summary>Process id of the daemon.</summary>
    public required int Pid { get; init; }

    /// <summary>When the daemon was started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Containers in all.</summary>
    public required int ContainerCount { get; init; }

    /// <summary>Containers whose process runs or is paused.</summary>
    public required int RunningCount { get; init; }
}
