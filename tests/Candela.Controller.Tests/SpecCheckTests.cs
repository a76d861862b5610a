using Candela.Controller.Containers;
using Candela.Model;

namespace Candela.Controller.Tests;

public sealed class SpecCheckTests
{
    private static readonly ContainerSpec Good = new() { Image = "i" };

    public static TheoryData<ContainerSpec> Bad =>
    [
        Good with { Image = "" },
        Good with { Hostname = new string('x', Limits.HostnameLength + 1) },
        Good with { Hostname = "a_b" },
        Good with { Hostname = "a\n" },
        Good with { Labels = Enumerable.Range(0, Limits.LabelCount + 1).ToDictionary(i => $"l{i}", _ => "") },
        Good with { Labels = new Dictionary<string, string> { [""] = "x" } },
        Good with { MemoryBytes = Limits.MemoryBytesMinimum - 1 },
        Good with { MemoryBytes = -1 },
        Good with { NanoCpus = 1 },
        Good with { NanoCpus = (Limits.VCpuCount + 1) * 1_000_000_000L },
        Good with { PidsLimit = -1 },
        Good with { ShmSizeBytes = -1 },
        Good with { OomScoreAdjustment = 1001 },
        Good with { OomScoreAdjustment = int.MinValue },
        Good with { Ulimits = [new Ulimit("nope", 1, 1)] },
        Good with { Ulimits = [new Ulimit("nofile", 2, 1)] },
        Good with { Tmpfs = new Dictionary<string, string> { ["relative"] = "" } },
        Good with { Tmpfs = new Dictionary<string, string> { ["//"] = "" } },
        Good with { Sysctls = new Dictionary<string, string> { ["../etc"] = "1" } },
        Good with { CapAdd = [""] },
        Good with { StopTimeoutSeconds = -2 },
        Good with { AutoRemove = true, RestartPolicy = new RestartPolicy { Condition = RestartCondition.Always } },
        Good with { RestartPolicy = new RestartPolicy { Condition = RestartCondition.Always, MaximumRetryCount = 1 } },
        Good with { RestartPolicy = new RestartPolicy { Condition = RestartCondition.OnFailure, MaximumRetryCount = -1 } },
    ];

    [Fact]
    public void A_plain_specification_is_accepted() => SpecCheck.Check(Good with
    {
        Hostname = "web-1.example",
        MemoryBytes = Limits.MemoryBytesMinimum,
        NanoCpus = Limits.VCpuCount * 1_000_000_000L,
        Ulimits = [new Ulimit("nofile", 1024, -1), new Ulimit("core", -1, -1)],
        Tmpfs = new Dictionary<string, string> { ["/run"] = "size=1m" },
        Sysctls = new Dictionary<string, string> { ["net.core.somaxconn"] = "1024" },
        StopTimeoutSeconds = -1,
    });

    [Theory]
    [MemberData(nameof(Bad))]
    public void Values_out_of_range_are_refused(ContainerSpec spec) =>
        Assert.Equal(ErrorCode.InvalidArgument, Assert.Throws<CandelaException>(() => SpecCheck.Check(spec)).Code);
}
