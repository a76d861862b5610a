namespace Candela.Model;

/// <summary>What kind of failure an operation met. Stable: clients may branch on the name.</summary>
public enum ErrorCode
{
    /// <summary>A defect of Candela itself; the message names where to look.</summary>
    Internal,

    /// <summary>The request is malformed or a value is out of its stated range.</summary>
    InvalidArgument,

    /// <summary>The caller could not be identified.</summary>
    Unauthenticated,

    /// <summary>The caller is known but may not do this.</summary>
    PermissionDenied,

    /// <summary>No such resource.</summary>
    NotFound,

    /// <summary>The name is taken.</summary>
    AlreadyExists,

    /// <summary>The resource is not in a state that allows this, or changed meanwhile.</summary>
    Conflict,

    /// <summary>The resource already is as requested; nothing was done.</summary>
    NotModified,

    /// <summary>Memory, disk, quota or another stated limit is used up.</summary>
    ResourceExhausted,

    /// <summary>Candela does not do this (yet); the message says what is possible instead.</summary>
    NotSupported,

    /// <summary>A part that is needed does not answer; trying again may help.</summary>
    Unavailable,

    /// <summary>The operation did not end within its deadline.</summary>
    DeadlineExceeded,

    /// <summary>No such image, here or in the registry.</summary>
    ImageNotFound,

    /// <summary>Image data is damaged, too large or hostile: wrong digest, bad tar, bad manifest.</summary>
    ImageInvalid,

    /// <summary>The command is not in the container's file system (exit code 127).</summary>
    CommandNotFound,

    /// <summary>The command is there but cannot be executed (exit code 126).</summary>
    CommandNotExecutable,
}
