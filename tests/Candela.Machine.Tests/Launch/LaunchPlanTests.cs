using System.Net;
using Candela.Guest.Protocol.Host;
using Candela.Machine.Launch;
using Candela.Microvisor;
using Candela.Model;

namespace Candela.Machine.Tests.Launch;

public sealed class LaunchPlanTests
{
    private const long Mebibyte = 1L << 20;

    [Theory]
    [InlineData(0, 0, 1, 512)]
    [InlineData(64, 0, 1, 256)]
    [InlineData(400, 500_000_000, 1, 512)]
    [InlineData(512, 1_500_000_000, 2, 1024)]
    [InlineData(3000, 3_000_000_000, 4, 4096)]
    [InlineData(9000, 12_000_000_000, 12, 9216)]
    public void Limits_choose_a_size(long memoryMebibytes, long nanoCpus, int vcpus, long sizeMebibytes)
    {
        var spec = new ContainerSpec { Image = "x", MemoryBytes = memoryMebibytes * Mebibyte, NanoCpus = nanoCpus };
        Assert.Equal(new MicroVmSize(vcpus, sizeMebibytes * Mebibyte), SizeClass.For(spec, Host(memoryMebibytes: 16384, processors: 16)));
    }

    [Fact]
    public void A_class_larger_than_the_host_is_not_taken()
    {
        var spec = new ContainerSpec { Image = "x", MemoryBytes = 5000 * Mebibyte };
        Assert.Equal(new MicroVmSize(1, 5120 * Mebibyte), SizeClass.For(spec, Host(memoryMebibytes: 6000, processors: 1)));
    }

    [Theory]
    [InlineData(65536, 65792)]
    [InlineData(24000, 24320)] // itself it would fit, with the guest's share it does not
    public void More_memory_than_the_host_has_is_refused_with_both_figures(long memoryMebibytes, long neededMebibytes)
    {
        var spec = new ContainerSpec { Image = "x", MemoryBytes = memoryMebibytes * Mebibyte };

        var e = Assert.Throws<CandelaException>(() => SizeClass.For(spec, Host(memoryMebibytes: 24064, processors: 2)));

        Assert.Equal(ErrorCode.ResourceExhausted, e.Code);
        Assert.Contains($"{neededMebibytes} MiB", e.Message, StringComparison.Ordinal);
        Assert.Contains("24064 MiB", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_CPUs_than_the_host_has_are_refused_with_both_figures()
    {
        MachineOptions host = Host(memoryMebibytes: 1024, processors: 2);
        Assert.Equal(2, SizeClass.For(new ContainerSpec { Image = "x", NanoCpus = 2_000_000_000 }, host).VCpus);

        var e = Assert.Throws<CandelaException>(() => SizeClass.For(new ContainerSpec { Image = "x", NanoCpus = 2_500_000_000 }, host));

        Assert.Equal(ErrorCode.InvalidArgument, e.Code);
        Assert.Contains("2.5 CPUs", e.Message, StringComparison.Ordinal);
        Assert.Contains("2.00", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_default_capabilities_are_Dockers() =>
        Assert.Equal(0x00000000a80425fbUL, LinuxCapabilities.Resolve([], [], privileged: false));

    [Fact]
    public void Capabilities_are_added_and_dropped()
    {
        Assert.Equal(0UL, LinuxCapabilities.Resolve([], ["ALL"], privileged: false));
        Assert.Equal(1UL << 12, LinuxCapabilities.Resolve(["NET_ADMIN"], ["all"], privileged: false));
        Assert.Equal(LinuxCapabilities.All & ~(1UL << 21), LinuxCapabilities.Resolve(["ALL"], ["cap_sys_admin"], privileged: false));
        Assert.Equal(LinuxCapabilities.All, LinuxCapabilities.Resolve([], ["ALL"], privileged: true));
    }

    [Fact]
    public void An_unknown_capability_is_named_in_the_error()
    {
        var e = Assert.Throws<CandelaException>(() => LinuxCapabilities.Resolve(["FLY"], [], privileged: false));
        Assert.Equal(ErrorCode.InvalidArgument, e.Code);
        Assert.Contains("FLY", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_containers_get_different_entropy_and_names_of_their_own()
    {
        GuestIdentity a = LaunchPlan.Identity(NewContainer('a'), host: null, TimeProvider.System);
        GuestIdentity b = LaunchPlan.Identity(NewContainer('b'), host: null, TimeProvider.System);
        Assert.NotEqual(a.Entropy, b.Entropy);
        Assert.Equal("aaaaaaaaaaaa", a.Hostname);
        Assert.Equal(32, b.MachineId.Length);
    }

    [Fact]
    public void Extra_hosts_and_name_servers_become_lines()
    {
        Container container = NewContainer('c');
        container = container with
        {
            Spec = container.Spec with { ExtraHosts = ["db:10.0.0.1", "six:[fd00::1]", "host:host-gateway"], DnsServers = ["1.1.1.1"], DnsSearch = ["a", "b"] },
        };
        GuestConfiguration configuration = LaunchPlan.Configuration(container, "squashfs", IPAddress.Parse("100.64.0.1"), TimeProvider.System);
        Assert.Equal(["10.0.0.1\tdb", "fd00::1\tsix", "100.64.0.1\thost"], configuration.Identity.Network.HostsLines);
        Assert.Equal("search a b\nnameserver 1.1.1.1\n", configuration.Identity.Network.ResolvConf);
    }

    [Fact]
    public void Routes_are_the_way_out_s_and_those_to_networks_that_it_is_not_connected_to()
    {
        Container container = NewContainer('d') with
        {
            Endpoints =
            [
                Endpoint(0, "10.0.1", isInternal: true, "10.0.9.0/24", "10.0.2.0/24", "fd00:9::/64"),
                Endpoint(1, "10.0.2", isInternal: false, "10.0.9.0/24", "10.0.8.0/24") with { Ipv6Address = "fd00:2::9", Ipv6PrefixLength = 64, Ipv6Gateway = "fd00:2::1" },
            ],
        };
        IReadOnlyList<GuestInterface> cards = LaunchPlan.Network(container, host: null).Interfaces;
        Assert.Equal(["10.0.9.0/24 by 10.0.1.1"], cards[0].Routes.Select(Text));
        Assert.Equal(["10.0.8.0/24 by 10.0.2.1", "0.0.0.0/0 by 10.0.2.1", "::/0 by fd00:2::1"], cards[1].Routes.Select(Text));
    }

    private static string Text(GuestRoute route) => $"{new IPAddress(route.Destination)}/{route.PrefixLength} by {new IPAddress(route.Gateway)}";

    private static NetworkEndpoint Endpoint(int card, string network, bool isInternal, params string[] routes) => new()
    {
        NetworkId = network,
        NetworkName = network,
        PortId = network,
        Card = card,
        Mac = "02:cd:00:00:00:01",
        Mtu = 1500,
        Ipv4Address = network + ".9",
        Ipv4PrefixLength = 24,
        Ipv4Gateway = network + ".1",
        IsInternal = isInternal,
        Routes = routes,
    };

    private static MachineOptions Host(long memoryMebibytes, int processors) =>
        new() { StateFolder = "/nowhere", HostMemoryBytes = memoryMebibytes * Mebibyte, HostProcessorCount = processors };

    private static Container NewContainer(char digit) => new()
    {
        Id = new string(digit, 64),
        Name = "n",
        Project = "default",
        CreatedAt = DateTimeOffset.UnixEpoch,
        ImageId = "sha256:0",
        Spec = new ContainerSpec { Image = "x" },
        Process = new ProcessConfiguration { Arguments = ["true"] },
        Status = new ContainerStatus(),
    };
}
