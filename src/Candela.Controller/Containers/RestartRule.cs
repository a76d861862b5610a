using Candela.Model;

namespace Candela.Controller.Containers;

/// <summary>When a container is restarted.</summary>
internal static class RestartRule
{
    /// <summary>After its process has ended while a daemon ran.</summary>
    public static bool Restarts(Container container, int exitCode)
    {
        var (policy, status) = (container.Spec.RestartPolicy, container.Status);
        return !status.StoppedByUser && policy.Condition switch
        {
            RestartCondition.Always or RestartCondition.UnlessStopped => true,
            RestartCondition.OnFailure => exitCode != 0 && (policy.MaximumRetryCount == 0 || status.RestartCount < policy.MaximumRetryCount),
            _ => false,
        };
    }

    /// <summary>When a daemon finds it ended: Always holds also for what a user stopped, but not for what was never started.</summary>
    public static bool RestartsWithDaemon(Container container) =>
        container.Status.StartedAt is not null
        && (container.Spec.RestartPolicy.Condition == RestartCondition.Always || Restarts(container, container.Status.ExitCode));

    /// <summary>A start that failed so may succeed later.</summary>
    public static bool MayPass(ErrorCode code) =>
        code is ErrorCode.ResourceExhausted or ErrorCode.Unavailable or ErrorCode.DeadlineExceeded or ErrorCode.Internal;
}
