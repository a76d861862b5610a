using System.Globalization;
using System.Text.RegularExpressions;
using Candela.Docker.Http;
using Candela.Model;

namespace Candela.Docker.Containers;

/// <summary>Limits and restart policies, of creation and update.</summary>
internal static partial class ResourceTranslation
{
    private const long CpuPeriodDefaultMicroseconds = 100_000;

    [GeneratedRegex("^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$", RegexOptions.CultureInvariant)]
    private static partial Regex CpuList { get; }

    /// <summary>Checks as dockerd does, and says what has no effect.</summary>
    public static void Check(ResourcesRequest request, List<string> warnings)
    {
        var memory = request.Memory ?? 0;
        if (memory < 0 || memory > 0 && memory < Limits.MemoryBytesMinimum)
            throw DockerException.BadRequest("Minimum memory limit allowed is 6MB");
        if (request.MemorySwap is { } swap && swap is not (0 or -1))
        {
            if (memory > 0 && swap < memory)
                throw DockerException.BadRequest("Minimum memoryswap limit should be larger than memory limit, see usage");
            if (memory == 0 && swap > 0)
                throw DockerException.BadRequest("You should always set the Memory limit when using Memoryswap limit, see usage");
            if (swap != memory)
                throw DockerException.NotSupported("swap (--memory-swap other than -1 or the memory limit) is");
        }

        if (request.MemorySwappiness is { } swappiness and not -1)
        {
            throw swappiness is < 0 or > 100
                ? DockerException.BadRequest($"Invalid value: {swappiness}, valid memory swappiness range is 0-100")
                : DockerException.NotSupported($"swappiness (--memory-swappiness {swappiness}) is");
        }

        var reservation = request.MemoryReservation ?? 0;
        if (reservation is < 0 or > 0 and < Limits.MemoryBytesMinimum)
            throw DockerException.BadRequest("Minimum memory reservation allowed is 6MB");
        if (memory > 0 && memory < reservation)
            throw DockerException.BadRequest("Minimum memory limit can not be less than memory reservation limit, see usage");
        CheckCpus(request.CpusetCpus, "cpus", "CPUs");
        CheckCpus(request.CpusetMems, "mems", "memory nodes");
        if (request.BlkioWeight is { } weight and not 0)
        {
            if (weight is < 10 or > 1000)
                throw DockerException.BadRequest("Range of blkio weight is from 10 to 1000");
            warnings.Add("Block I/O weight has no effect in a micro-VM. Weight discarded.");
        }

        foreach (var (given, flag) in (ReadOnlySpan<(bool, string)>)
            [(reservation > 0, "Memory reservation"), (request.CpuShares > 0, "CPU shares"), (!string.IsNullOrEmpty(request.CpusetCpus), "CPU pinning"), (!string.IsNullOrEmpty(request.CpusetMems), "Memory node pinning")])
        {
            if (given)
                warnings.Add($"{flag} recorded, without effect: a micro-VM shares no kernel with others.");
        }
    }

    public static long Cpus(ResourcesRequest request)
    {
        var nano = request.NanoCpus ?? 0;
        var quota = request.CpuQuota ?? 0;
        var period = request.CpuPeriod ?? 0;
        if (nano > 0 && period > 0)
            throw DockerException.BadRequest("Conflicting options: Nano CPUs and CPU Period cannot both be set");
        if (nano > 0 && quota > 0)
            throw DockerException.BadRequest("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
        if (nano < 0 || nano > Limits.VCpuCount * 1_000_000_000L)
        {
            throw DockerException.BadRequest(string.Create(
                CultureInfo.InvariantCulture, $"range of CPUs is from 0.01 to {Limits.VCpuCount}.00, as a micro-VM has at most {Limits.VCpuCount} CPUs"));
        }

        if (period is not 0 and (< 1000 or > 1_000_000))
            throw DockerException.BadRequest("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
        if (quota is > 0 and < 1000)
            throw DockerException.BadRequest("CPU cfs quota can not be less than 1ms (i.e. 1000)");
        return nano > 0 || quota <= 0 ? nano : (long)((Int128)quota * 1_000_000_000 / (period > 0 ? period : CpuPeriodDefaultMicroseconds));
    }

    /// <summary>What is only recorded, over what was before.</summary>
    public static ResourceHints Hints(ResourcesRequest request, ResourceHints former) => new()
    {
        MemoryReservationBytes = request.MemoryReservation is > 0 and var reservation ? reservation : former.MemoryReservationBytes,
        CpuShares = request.CpuShares is > 0 and var shares ? shares : former.CpuShares,
        CpusetCpus = request.CpusetCpus is { Length: > 0 } cpus ? cpus : former.CpusetCpus,
        CpusetMems = request.CpusetMems is { Length: > 0 } mems ? mems : former.CpusetMems,
        CpuPeriodMicroseconds = request.CpuPeriod is > 0 and var period ? period : former.CpuPeriodMicroseconds,
        CpuQuotaMicroseconds = request.CpuQuota is > 0 and var quota ? quota : former.CpuQuotaMicroseconds,
    };

    public static RestartPolicy Restart(RestartPolicyRequest? policy)
    {
        var condition = policy?.Name switch
        {
            null or "" or "no" => RestartCondition.No,
            "always" => RestartCondition.Always,
            "unless-stopped" => RestartCondition.UnlessStopped,
            "on-failure" => RestartCondition.OnFailure,
            var other => throw DockerException.BadRequest($"invalid restart policy: unknown policy '{other}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"),
        };
        var retries = policy?.MaximumRetryCount ?? 0;
        if (retries < 0)
            throw DockerException.BadRequest("invalid restart policy: maximum retry count cannot be negative");
        if (retries > 0 && condition != RestartCondition.OnFailure)
            throw DockerException.BadRequest("invalid restart policy: maximum retry count can only be used with 'on-failure'");
        return new RestartPolicy { Condition = condition, MaximumRetryCount = retries };
    }

    private static void CheckCpus(string? text, string what, string things)
    {
        if (string.IsNullOrEmpty(text))
            return;
        if (!CpuList.IsMatch(text))
            throw DockerException.BadRequest($"Invalid value {text} for cpuset {what}: invalid format: {text}");
        var most = what == "cpus" ? Environment.ProcessorCount - 1 : 0;
        if (text.Split(',', '-').Any(number => !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value > most))
            throw DockerException.BadRequest($"Requested {things} are not available - requested {text}, available: {(most == 0 ? "0" : $"0-{most}")}");
    }
}
