using System.Text.Json;
using System.Text.Json.Serialization;

namespace Candela.Docker.Containers;

/// <summary>Limits and restart policy as sent: body of <c>POST /containers/{name}/update</c>, and a part of a creation's.</summary>
internal class ResourcesRequest
{
    public long? Memory { get; set; }

    public long? MemorySwap { get; set; }

    public long? MemorySwappiness { get; set; }

    public long? MemoryReservation { get; set; }

    public long? NanoCpus { get; set; }

    public long? CpuPeriod { get; set; }

    public long? CpuQuota { get; set; }

    public long? CpuShares { get; set; }

    public string? CpusetCpus { get; set; }

    public string? CpusetMems { get; set; }

    public int? BlkioWeight { get; set; }

    public long? PidsLimit { get; set; }

    public RestartPolicyRequest? RestartPolicy { get; set; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

/// <summary>Answer of an update.</summary>
internal sealed record UpdateResponse(IReadOnlyList<string>? Warnings);
