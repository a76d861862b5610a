namespace Candela.Controller.Api;

/// <summary>How far the daemon is. Asked before every call, from many threads.</summary>
public interface IPlatformStatus
{
    /// <summary>Everything that calls need is there.</summary>
    bool Ready { get; }

    /// <summary>What is being prepared, for people; null when nothing is.</summary>
    string? Preparing { get; }

    /// <summary>Why the platform cannot get ready, for people; null when nothing failed.</summary>
    string? Error { get; }

    /// <summary>Version of the daemon.</summary>
    string Version { get; }

    /// <summary>Process id of the daemon.</summary>
    int Pid { get; }

    /// <summary>When the daemon was started.</summary>
    DateTimeOffset StartedAt { get; }

    /// <summary>Containers in all; 0 until they are known.</summary>
    int ContainerCount { get; }

    /// <summary>Containers whose process runs or is paused.</summary>
    int RunningCount { get; }
}
