using System.Text.Json;
using Candela.Docker.Http;

namespace Candela.Docker.Containers;

/// <summary>
/// Members of a creation that Candela does not act upon yet, with the flag that users know them by. A value that asks for
/// something is refused; empty ones, which the CLI always sends, pass.
/// </summary>
internal static class Refusals
{
    private static readonly Dictionary<string, string> Config = new(StringComparer.OrdinalIgnoreCase)
    {
        ["OnBuild"] = "OnBuild is",
        ["Shell"] = "Shell is",
    };

    private static readonly Dictionary<string, string> HostConfig = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Devices"] = "host devices (--device) are",
        ["DeviceRequests"] = "device requests (--gpus) are",
        ["DeviceCgroupRules"] = "device cgroup rules (--device-cgroup-rule) are",
        ["CgroupParent"] = "a cgroup parent (--cgroup-parent) is",
        ["Cgroup"] = "Cgroup is",
        ["CpuRealtimePeriod"] = "real-time CPU time (--cpu-rt-period) is",
        ["CpuRealtimeRuntime"] = "real-time CPU time (--cpu-rt-runtime) is",
        ["CpuCount"] = "CpuCount is",
        ["CpuPercent"] = "CpuPercent is",
        ["BlkioWeightDevice"] = "block I/O limits (--blkio-weight-device) are",
        ["BlkioDeviceReadBps"] = "block I/O limits (--device-read-bps) are",
        ["BlkioDeviceWriteBps"] = "block I/O limits (--device-write-bps) are",
        ["BlkioDeviceReadIOps"] = "block I/O limits (--device-read-iops) are",
        ["BlkioDeviceWriteIOps"] = "block I/O limits (--device-write-iops) are",
        ["IOMaximumIOps"] = "I/O limits (--io-maxiops) are",
        ["IOMaximumBandwidth"] = "I/O limits (--io-maxbandwidth) are",
        ["KernelMemory"] = "a kernel memory limit (--kernel-memory) is",
        ["KernelMemoryTCP"] = "a kernel TCP memory limit is",
        ["OomKillDisable"] = "switching off the OOM killer (--oom-kill-disable) is",
        ["StorageOpt"] = "storage options (--storage-opt) are",
        ["Annotations"] = "annotations (--annotation) are",
    };

    public static void Check(ResourcesRequest request) => Check(request.Rest, HostConfig);

    public static void Check(CreateRequest request)
    {
        Check(request.Rest, Config);
        Check(request.HostConfig?.Rest, HostConfig);
    }

    private static void Check(Dictionary<string, JsonElement>? members, Dictionary<string, string> unsupported)
    {
        if (members is null)
            return;
        foreach (var (name, value) in members)
        {
            if (unsupported.TryGetValue(name, out var text) && !IsEmpty(value))
                throw DockerException.NotSupported(text);
        }
    }

    /// <summary>A value that asks for nothing: null, false, 0, "", [] or {}, or a list or object of such.</summary>
    internal static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined or JsonValueKind.False => true,
        JsonValueKind.String => value.GetString() is null or "",
        JsonValueKind.Number => value.TryGetDouble(out var number) && number == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };
}
