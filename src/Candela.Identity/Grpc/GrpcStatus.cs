namespace Candela.Identity.Grpc;

/// <summary>Status codes of gRPC (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md), those that are used here.</summary>
internal enum GrpcStatus
{
    Ok = 0,
    Cancelled = 1,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// <summary>A call ends with this status.</summary>
internal sealed class GrpcException(GrpcStatus status, string message) : Exception(message)
{
    public GrpcStatus Status { get; } = status;

    /// <summary>The call did what it was to do, and this is its end.</summary>
    public bool IsRegular { get; init; }
}
