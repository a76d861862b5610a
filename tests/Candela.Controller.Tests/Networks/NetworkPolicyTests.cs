using Candela.Controller.Tests.Fake;
using Candela.Model;
using Candela.Model.Networking;
using Candela.State;
using Plan = Candela.Network.Plan;

namespace Candela.Controller.Tests.Networks;

/// <summary>Groups, policies and settings: what is recorded, and what the machine's plan has of them.</summary>
public sealed class NetworkPolicyTests
{
    private static readonly NetworkPolicySpec NoWeb = new()
    {
        Name = "no-web",
        Direction = TrafficDirection.Ingress,
        Action = NetworkPolicyAction.Deny,
        Priority = 10,
        Subjects = [new NetworkPeer { Group = "db" }],
        Peers = [new NetworkPeer { Group = "web" }, new NetworkPeer { Cidr = "10.0.0.0/8", Except = ["10.1.0.0/16"] }, new NetworkPeer { Segment = "front" }],
        Services = [new PolicyService { Protocol = NetworkProtocol.Tcp, FirstPort = 5432, LastPort = 5440 }, new PolicyService { Protocol = NetworkProtocol.Icmp, IcmpType = 8 }],
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Policies_are_in_the_plan_of_whoever_is_connected_and_after_a_restart()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await PopulateAsync(daemon);
        var web = await daemon.RunAsync(OnFront("web"), "web1");

        Check(daemon, web);
        Assert.Equal(["web1"], await daemon.Policies.ListMembersAsync(TestCalls.Alice, "web", Token));
        Assert.Empty(await daemon.Policies.ListMembersAsync(TestCalls.Alice, "db", Token));

        Check(await host.StartDaemonAsync(), web);
    }

    [Fact]
    public async Task A_change_holds_for_containers_that_run_and_leaves_other_parts_of_the_plan_alone()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await PopulateAsync(daemon);
        await daemon.RunAsync(OnFront("web"));
        var before = Project(daemon);

        await daemon.Policies.ReplacePolicyAsync(TestCalls.Alice, NoWeb with { Action = NetworkPolicyAction.Allow, Revision = 1 }, Token);

        Assert.Equal(Plan.PolicyAction.Allow, Project(daemon).Policies["no-web"].Action);
        Assert.Same(before.Groups, Project(daemon).Groups);
        Assert.Same(before.Ports, Project(daemon).Ports);
        await TestCalls.FailsAsync(ErrorCode.Conflict, () => daemon.Policies.ReplacePolicyAsync(TestCalls.Alice, NoWeb with { Revision = 1 }, Token));
        Assert.Equal(2, (await daemon.Policies.GetPolicyAsync(TestCalls.Alice, "no-web", Token)).Revision);

        await daemon.Policies.RemovePolicyAsync(TestCalls.Alice, "no-web", Token);
        await daemon.Policies.SetSettingsAsync(TestCalls.Alice, new ProjectNetworking { Default = NetworkDefault.Closed }, Token);
        Assert.Empty(Project(daemon).Policies);
        Assert.Equal(Plan.DefaultStance.Closed, Project(daemon).Stance);
    }

    [Fact]
    public async Task What_the_machine_refuses_is_not_recorded()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await PopulateAsync(daemon);
        await daemon.RunAsync(OnFront("web"));
        daemon.Machine.NetworkFailure = new IOException("the kernel says no");

        await Assert.ThrowsAsync<IOException>(() => daemon.Policies.CreatePolicyAsync(TestCalls.Alice, NoWeb with { Name = "another" }, Token));

        daemon.Machine.NetworkFailure = null;
        await TestCalls.FailsAsync(ErrorCode.NotFound, () => daemon.Policies.GetPolicyAsync(TestCalls.Alice, "another", Token));
        var next = await host.StartDaemonAsync();
        await TestCalls.FailsAsync(ErrorCode.NotFound, () => next.Policies.GetPolicyAsync(TestCalls.Alice, "another", Token));
    }

    [Fact]
    public async Task What_cannot_be_recorded_does_not_hold()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await PopulateAsync(daemon);
        await daemon.RunAsync(OnFront("web"));
        daemon.Store.Fails = true;

        await Assert.ThrowsAsync<StateStoreException>(() => daemon.Policies.CreatePolicyAsync(TestCalls.Alice, NoWeb with { Name = "another" }, Token));

        Assert.Equal(["no-web"], Project(daemon).Policies.Keys);
    }

    [Fact]
    public async Task What_a_policy_speaks_of_cannot_be_removed()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await PopulateAsync(daemon);

        var group = await TestCalls.FailsAsync(ErrorCode.Conflict, () => daemon.Policies.RemoveGroupAsync(TestCalls.Alice, "web", Token));
        var segment = await TestCalls.FailsAsync(ErrorCode.Conflict, () => daemon.Networks.RemoveAsync(TestCalls.Alice, "front", Token));
        Assert.Contains("no-web", group.Message, StringComparison.Ordinal);
        Assert.Contains("no-web", segment.Message, StringComparison.Ordinal);
        Assert.Empty(await daemon.Networks.PruneAsync(TestCalls.Alice, static _ => true, Token));

        await daemon.Policies.RemovePolicyAsync(TestCalls.Alice, "no-web", Token);
        await daemon.Policies.RemoveGroupAsync(TestCalls.Alice, "web", Token);
        await daemon.Networks.RemoveAsync(TestCalls.Alice, "front", Token);
    }

    [Fact]
    public async Task A_workload_is_known_by_its_identity_whatever_its_labels_say()
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await daemon.Policies.CreatePolicyAsync(
            TestCalls.Alice,
            NoWeb with { Subjects = [new NetworkPeer { Workload = "default/default/db" }], Peers = [new NetworkPeer { Workload = "default/default/*" }], Services = [] },
            Token);
        var db = await daemon.RunAsync(Labelled(), "db");
        var liar = await daemon.RunAsync(Labelled(("\0workload", "db")), "liar");

        var plan = Project(daemon);
        var policy = plan.Policies["no-web"];
        Assert.True(plan.Groups[Assert.Single(policy.Groups)].Has(PortOf(plan, db).Labels));
        Assert.False(plan.Groups[Assert.Single(policy.Groups)].Has(PortOf(plan, liar).Labels));
        Assert.True(plan.Groups[Assert.IsType<Plan.Peer.Group>(Assert.Single(policy.Peers)).GroupId].Has(PortOf(plan, liar).Labels));

        await daemon.Containers.RenameAsync(TestCalls.Alice, "db", "former", Token);
        await daemon.Containers.RenameAsync(TestCalls.Alice, "liar", "db", Token);
        plan = Project(daemon);
        Assert.False(plan.Groups[Assert.Single(policy.Groups)].Has(PortOf(plan, db).Labels));
        Assert.True(plan.Groups[Assert.Single(policy.Groups)].Has(PortOf(plan, liar).Labels));

        await daemon.Policies.RemovePolicyAsync(TestCalls.Alice, "no-web", Token);
        Assert.Empty(Project(daemon).Groups);
    }

    public static TheoryData<NetworkPolicySpec> Refused => new()
    {
        NoWeb with { Name = "" },
        NoWeb with { Name = "Upper" },
        NoWeb with { Name = "a/b" },
        NoWeb with { Name = new string('a', 64) },
        NoWeb with { Description = new string('a', 257) },
        NoWeb with { Priority = -1 },
        NoWeb with { Priority = 65_536 },
        NoWeb with { Subjects = [new NetworkPeer { Cidr = "10.0.0.0/8" }] },
        NoWeb with { Subjects = [new NetworkPeer { Group = "db", Segment = "front" }] },
        NoWeb with { Subjects = [.. Enumerable.Repeat(new NetworkPeer { Group = "db" }, 65)] },
        NoWeb with { Peers = [new NetworkPeer()] },
        NoWeb with { Peers = [new NetworkPeer { DnsName = "example.org" }] },
        NoWeb with { Direction = TrafficDirection.Egress, Peers = [new NetworkPeer { DnsName = "Example.org" }] },
        NoWeb with { Direction = TrafficDirection.Egress, Peers = [new NetworkPeer { DnsName = "a.*.org" }] },
        NoWeb with { Peers = [new NetworkPeer { Cidr = "10.0.0.1/8" }] },
        NoWeb with { Peers = [new NetworkPeer { Cidr = "anything" }] },
        NoWeb with { Peers = [new NetworkPeer { Cidr = "10.0.0.0/8", Except = ["11.0.0.0/16"] }] },
        NoWeb with { Peers = [new NetworkPeer { Cidr = "10.0.0.0/8", Except = ["0.0.0.0/0"] }] },
        NoWeb with { Peers = [new NetworkPeer { Cidr = "10.0.0.0/8", Except = ["fd00::/8"] }] },
        NoWeb with { Peers = [new NetworkPeer { Group = "web", Except = ["10.0.0.0/8"] }] },
        NoWeb with { Peers = [new NetworkPeer { Workload = "db" }] },
        NoWeb with { Peers = [new NetworkPeer { Workload = "default/another/db" }] },
        NoWeb with { Services = [new PolicyService { Protocol = NetworkProtocol.Other }] },
        NoWeb with { Services = [new PolicyService { Protocol = NetworkProtocol.Any, FirstPort = 1 }] },
        NoWeb with { Services = [new PolicyService { Protocol = NetworkProtocol.Tcp, FirstPort = 0 }] },
        NoWeb with { Services = [new PolicyService { Protocol = NetworkProtocol.Tcp, FirstPort = 65_536 }] },
        NoWeb with { Services = [new PolicyService { Protocol = NetworkProtocol.Tcp, LastPort = 1 }] },
        NoWeb with { Services = [new PolicyService { Protocol = NetworkProtocol.Tcp, FirstPort = 2, LastPort = 1 }] },
        NoWeb with { Services = [new PolicyService { Protocol = NetworkProtocol.Tcp, IcmpType = 8 }] },
        NoWeb with { Services = [new PolicyService { Protocol = NetworkProtocol.Icmp, IcmpType = 256 }] },
    };

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public async Task What_makes_no_sense_is_refused(NetworkPolicySpec spec)
    {
        await using var host = NewHost();
        var daemon = await host.StartDaemonAsync();
        await PopulateAsync(daemon);

        await TestCalls.FailsAsync(ErrorCode.InvalidArgument, () => daemon.Policies.CreatePolicyAsync(TestCalls.Alice, spec, Token));
        Assert.Single(await daemon.Policies.ListPoliciesAsync(TestCalls.Alice, Token));
    }

    private static TestHost NewHost() => new() { Machine = new FakeHost { HasNetworks = true } };

    private static async Task PopulateAsync(TestDaemon daemon)
    {
        await daemon.Networks.CreateAsync(TestCalls.Alice, new NetworkSpec { Name = "front" }, Token);
        foreach (string tier in (string[])["web", "db"])
            await daemon.Policies.CreateGroupAsync(TestCalls.Alice, new SecurityGroupSpec { Name = tier, Labels = new Dictionary<string, string> { ["tier"] = tier } }, Token);
        await daemon.Policies.CreatePolicyAsync(TestCalls.Alice, NoWeb, Token);
    }

    private static ContainerSpec OnFront(string tier) => Labelled(("tier", tier)) with { NetworkMode = "front" };

    private static ContainerSpec Labelled(params (string Key, string Value)[] labels) =>
        TestCalls.Spec with { NetworkMode = "bridge", Labels = labels.ToDictionary(l => l.Key, l => l.Value) };

    private static Plan.ProjectPlan Project(TestDaemon daemon) => daemon.Machine.Plan.Projects["default"];

    private static Plan.PortSpec PortOf(Plan.ProjectPlan plan, Container container) => plan.Ports.Values.Single(p => container.Id.StartsWith(p.Id[..24], StringComparison.Ordinal));

    private static void Check(TestDaemon daemon, Container web)
    {
        var plan = Project(daemon);
        var policy = plan.Policies["no-web"];
        Assert.Equal((Plan.Direction.Ingress, Plan.PolicyAction.Deny, 10, true), (policy.Direction, policy.Action, policy.Priority, policy.IsLogged));
        Assert.Equal(["db"], policy.Groups);
        Assert.Equal(new Plan.Peer.Group("web"), policy.Peers[0]);
        Assert.Equal([System.Net.IPNetwork.Parse("10.1.0.0/16")], Assert.IsType<Plan.Peer.Cidr>(policy.Peers[1]).Except);
        Assert.Equal(Assert.Single(plan.Segments).Key, Assert.IsType<Plan.Peer.Segment>(policy.Peers[2]).SegmentId);
        Assert.Equal([Plan.Service.Ports(Plan.Protocol.Tcp, 5432, 5440), new Plan.Service { Protocol = Plan.Protocol.Icmp, IcmpType = 8 }], policy.Services);
        Assert.True(plan.Groups["web"].Has(PortOf(plan, web).Labels));
        Assert.False(plan.Groups["db"].Has(PortOf(plan, web).Labels));
    }
}
