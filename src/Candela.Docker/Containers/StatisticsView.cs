using System.Text.Json.Serialization;
using Candela.Docker.Json;
using Candela.Model;

namespace Candela.Docker.Containers;

/// <summary>Answer of <c>GET /containers/{id}/stats</c>, as on a host with cgroup v2.</summary>
internal sealed record StatisticsView
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }

    [JsonPropertyName("id")]
    public required string Id { get; init; }

    [JsonPropertyName("read")]
    public required string Read { get; init; }

    [JsonPropertyName("preread")]
    public string PreRead { get; init; } = DockerTime.Zero;

    [JsonPropertyName("pids_stats")]
    public PidsView Pids { get; init; } = new(0, 0);

    [JsonPropertyName("blkio_stats")]
    public BlockIoView BlockIo { get; init; } = new([]);

    [JsonPropertyName("num_procs")]
    public int Processes { get; init; }

    [JsonPropertyName("storage_stats")]
    public Dictionary<string, long> Storage { get; init; } = [];

    [JsonPropertyName("cpu_stats")]
    public CpuView Cpu { get; init; } = new();

    [JsonPropertyName("precpu_stats")]
    public CpuView PreCpu { get; init; } = new();

    [JsonPropertyName("memory_stats")]
    public MemoryView Memory { get; init; } = new();

    /// <summary>Figures of a running container; <paramref name="before"/> are those of a moment ago, or null.</summary>
    public static StatisticsView Of(Container container, ContainerStatistics now, ContainerStatistics? before) => new()
    {
        Name = "/" + container.Name,
        Id = container.Id,
        Read = DockerTime.Format(now.ReadAt),
        PreRead = DockerTime.Format(before?.ReadAt),
        Pids = new PidsView(now.Pids, container.Spec.PidsLimit),
        BlockIo = new BlockIoView([new BlockIoEntry(254, 0, "read", now.ReadBytes), new BlockIoEntry(254, 0, "write", now.WriteBytes)]),
        Cpu = CpuOf(now),
        PreCpu = before is null ? new CpuView() : CpuOf(before),
        Memory = new MemoryView
        {
            Usage = now.MemoryBytes,
            MaximumUsage = now.MemoryPeakBytes,
            Limit = now.MemoryLimitBytes,
            Details = new Dictionary<string, long>
            {
                ["anon"] = now.MemoryAnonymousBytes,
                ["file"] = Math.Max(0, now.MemoryBytes - now.MemoryAnonymousBytes),
                ["inactive_file"] = now.MemoryInactiveFileBytes,
            },
        },
    };

    /// <summary>Figures of a container that does not run: zeros, as dockerd's.</summary>
    public static StatisticsView Stopped(Container container) => new() { Name = "/" + container.Name, Id = container.Id, Read = DockerTime.Zero };

    private static CpuView CpuOf(ContainerStatistics figures) => new()
    {
        Usage = new CpuUsageView(figures.CpuTotalNanoseconds, figures.CpuSystemNanoseconds, figures.CpuUserNanoseconds),
        SystemUsage = figures.SystemTotalNanoseconds,
        OnlineCpus = figures.OnlineCpus,
    };
}

/// <summary>Processes.</summary>
internal sealed record PidsView(
    [property: JsonPropertyName("current"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long Current,
    [property: JsonPropertyName("limit"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] long Limit);

/// <summary>Block I/O.</summary>
internal sealed record BlockIoView([property: JsonPropertyName("io_service_bytes_recursive")] IReadOnlyList<BlockIoEntry> Bytes);

/// <summary>Block I/O of one kind.</summary>
internal sealed record BlockIoEntry(
    [property: JsonPropertyName("major")] int Major,
    [property: JsonPropertyName("minor")] int Minor,
    [property: JsonPropertyName("op")] string Operation,
    [property: JsonPropertyName("value")] long Value);

/// <summary>CPU.</summary>
internal sealed record CpuView
{
    [JsonPropertyName("cpu_usage")]
    public CpuUsageView Usage { get; init; } = new(0, 0, 0);

    [JsonPropertyName("system_cpu_usage"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long SystemUsage { get; init; }

    [JsonPropertyName("online_cpus"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int OnlineCpus { get; init; }

    [JsonPropertyName("throttling_data")]
    public Dictionary<string, long> Throttling { get; init; } = new() { ["periods"] = 0, ["throttled_periods"] = 0, ["throttled_time"] = 0 };
}

/// <summary>CPU time in nanoseconds.</summary>
internal sealed record CpuUsageView(
    [property: JsonPropertyName("total_usage")] long Total,
    [property: JsonPropertyName("usage_in_kernelmode")] long Kernel,
    [property: JsonPropertyName("usage_in_usermode")] long User);

/// <summary>Memory.</summary>
internal sealed record MemoryView
{
    [JsonPropertyName("usage"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Usage { get; init; }

    [JsonPropertyName("max_usage"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long MaximumUsage { get; init; }

    [JsonPropertyName("stats"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Dictionary<string, long>? Details { get; init; }

    [JsonPropertyName("limit"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Limit { get; init; }
}
