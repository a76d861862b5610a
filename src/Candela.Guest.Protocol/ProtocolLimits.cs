namespace Candela.Guest.Protocol;

/// <summary>Limits that both ends check.</summary>
public static class ProtocolLimits
{
    /// <summary>Version of the protocol; both ends must have the same.</summary>
    public const ushort Version = 5;

    /// <summary>Largest payload of a data frame, bytes.</summary>
    public const int DataFrameBytes = 64 * 1024;

    /// <summary>Largest request or response (arguments and environment included), bytes.</summary>
    public const int MessageBytes = 2 * 1024 * 1024;

    /// <summary>Output that the guest holds unacknowledged, bytes a stream.</summary>
    public const int StreamWindowBytes = 256 * 1024;

    /// <summary>Most processes that the agent knows at once.</summary>
    public const int ProcessCount = 4096;

    /// <summary>Most requests under way at once.</summary>
    public const int PendingRequests = 256;

    /// <summary>Standard input that the guest holds for a process, bytes: what the host may send before it is granted more.</summary>
    public const int InputWindowBytes = 64 * 1024;

    /// <summary>Archive data under way in either direction, bytes a request.</summary>
    public const int ArchiveWindowBytes = 256 * 1024;

    /// <summary>Most connections of a container to its workload socket at once.</summary>
    public const int ConnectionCount = 64;

    /// <summary>Data of a connection under way in either direction, bytes: what may be sent before more is granted.</summary>
    public const int ConnectionWindowBytes = 64 * 1024;
}
