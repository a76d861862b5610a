namespace Candela.Guest.Protocol;

/// <summary>Why the guest refused a request.</summary>
public enum AgentError : ushort
{
    /// <summary>A failed system call or a defect; the message says which.</summary>
    Failed = 1,

    /// <summary>No such command in the container (Docker: 127).</summary>
    CommandNotFound = 2,

    /// <summary>The command cannot be executed (Docker: 126).</summary>
    CommandNotExecutable = 3,

    /// <summary>User or group not in the image's files.</summary>
    UnknownUser = 4,

    /// <summary>No such process.</summary>
    NoSuchProcess = 5,

    /// <summary>No such file or directory.</summary>
    NoSuchPath = 6,

    /// <summary>The process no longer reads its input.</summary>
    Gone = 7,

    /// <summary>A stated limit would be exceeded.</summary>
    LimitExceeded = 8,

    /// <summary>The request does not fit the state (configured twice, not configured).</summary>
    BadState = 9,

    /// <summary>A value is malformed.</summary>
    InvalidArgument = 10,

    /// <summary>The working directory is missing and cannot be made, or is no directory.</summary>
    BadWorkingDirectory = 11,

    /// <summary>The disk is full.</summary>
    NoSpace = 12,
}
