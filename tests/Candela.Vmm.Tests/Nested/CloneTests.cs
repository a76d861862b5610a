using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Candela.Guest.Protocol.Host;

namespace Candela.Vmm.Tests.Nested;

/// <summary>Clones: device state from a file, memory mapped copy-on-write, each an own VM that runs an own container.</summary>
public sealed class CloneTests(NestedHostFixture fixture) : IClassFixture<NestedHostFixture>, IAsyncLifetime
{
    private const int ParentAgentPort = 2, ControlPort = 3, FirstClonePort = 4, CloneCount = 3, SourceAgentPort = 7, SourceControlPort = 8, ForkAgentPort = 9;
    private readonly NestedHost _host = fixture.Host;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Clones_of_a_snapshot_run_containers_of_their_own()
    {
        string memory = await _host.RunAsync("md5sum /tmp/memory");
        List<string> outputs = [];
        for (int i = 0; i < CloneCount; i++)
            outputs.Add(await RunCloneAsync(FirstClonePort + i, $"clone{i}"));

        for (int i = 0; i < CloneCount; i++)
            Assert.StartsWith($"clone{i} ", outputs[i], StringComparison.Ordinal);
        // 16 bytes of /dev/urandom each: no two clones are twins.
        Assert.Equal(CloneCount, outputs.Select(output => output.Split(' ')[1]).Distinct().Count());
        // Nothing that the clones wrote reached the parent's memory.
        Assert.Equal(memory, await _host.RunAsync("md5sum /tmp/memory"));
    }

    // The source goes on where it was, and so does the fork, with the memory of the moment and a connection of its own.
    [Fact]
    public async Task A_fork_of_a_running_clone_goes_on_with_its_process()
    {
        await using Stream control = await _host.ConnectPortAsync(SourceControlPort);
        GuestOutput first = new();
        Task<AgentConnection> connecting = _host.ConnectAgentAsync(SourceAgentPort, first);
        await _host.RunAsync(
            "cp /tmp/memory /tmp/memory2; candela-vmm --memory 128 --vcpus 2 --state 3 --memory-fd 4 --memory-private --agent 5 --disk0 6 --control 7 "
            + $"3</tmp/state 4</tmp/memory 5<>/dev/vport0p{SourceAgentPort} 6</files/image 7<>/dev/vport0p{SourceControlPort} 8>/tmp/state2 9<>/tmp/memory2 >/tmp/log7 2>&1 &");
        string mark;
        await using (AgentConnection agent = await connecting)
        {
            GuestProcess process = new() { Arguments = ["/bin/sh", "-c", "m=$(dd if=/dev/urandom bs=16 count=1 2>/dev/null | md5sum); echo $m; read line; echo $line $m"], Environment = ["PATH=/bin"], OpenStdin = true };
            await agent.ConfigureAndStartAsync(NewConfiguration("source"), process, Token);
            mark = await first.FirstLineAsync();
        }

        using CommandPort port = new(control);
        Assert.StartsWith("error: pause", await port.AskAsync("memory 9"), StringComparison.Ordinal);
        Assert.Equal("ok", await port.AskAsync("pause"));
        Assert.StartsWith("ok ", await port.AskAsync("snapshot 8"), StringComparison.Ordinal);
        string answer = await port.AskAsync("memory 9");
        Assert.StartsWith("ok ", answer, StringComparison.Ordinal);
        TestContext.Current.SendDiagnosticMessage($"memory that the source had changed: {answer[3..]} bytes");

        GuestOutput forked = new();
        connecting = _host.ConnectAgentAsync(ForkAgentPort, forked, mayBeTorn: true);
        await _host.RunAsync(
            "candela-vmm --memory 128 --vcpus 2 --state 3 --memory-fd 4 --memory-private --agent 5 --disk0 6 "
            + $"3</tmp/state2 4</tmp/memory2 5<>/dev/vport0p{ForkAgentPort} 6</files/image >/tmp/log9 2>&1 &");
        await using AgentConnection fork = await connecting;
        await fork.ReidentifyAsync(NewConfiguration("fork").Identity, Token);
        Assert.Null(Assert.Single(await fork.ListAsync(Token)).Exit);
        await fork.ResumeOutputAsync(1, OutputStream.Stdout, 0, Token);
        await fork.WriteInputAsync(1, "fork\n"u8.ToArray(), Token);
        Assert.Equal((0, $"{mark}\nfork {mark}\n"), await forked.EndAsync());
        await fork.PowerOffAsync(Token);
        Assert.Equal((0, ""), await _host.TryRunAsync("wait $!"));
        Assert.Equal("", await _host.RunAsync("cat /tmp/log7 /tmp/log9; jobs -p | grep . >/dev/null && kill -9 $(jobs -p); true"));
    }

    public async ValueTask InitializeAsync()
    {
        if (!fixture.HasParent)
            await MakeParentAsync();
        fixture.HasParent = true;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task MakeParentAsync()
    {
        await using Stream control = await _host.ConnectPortAsync(ControlPort);
        Task<AgentConnection> connecting = _host.ConnectAgentAsync(ParentAgentPort);
        await _host.RunAsync("truncate -s 128M /tmp/memory");
        await _host.RunAsync(
            $"candela-vmm --memory 128 --vcpus 2 --kernel 3 --initramfs 4 --agent 5 --memory-fd 6 --control 7 --cmdline '{NestedHost.KernelArguments}' "
            + $"3</files/vmlinuz 4</files/initramfs 5<>/dev/vport0p{ParentAgentPort} 6<>/tmp/memory 7<>/dev/vport0p{ControlPort} 8>/tmp/state >/tmp/log 2>&1 &");
        await using (AgentConnection agent = await connecting)
            Assert.Empty(await agent.ListAsync(Token));

        using CommandPort port = new(control);
        Assert.Equal("ok running", await port.AskAsync("status"));
        Assert.StartsWith("error: pause", await port.AskAsync("snapshot 8"), StringComparison.Ordinal);
        Assert.Equal("ok", await port.AskAsync("pause"));
        string answer = await port.AskAsync("snapshot 8");
        Assert.StartsWith("ok ", answer, StringComparison.Ordinal);
        TestContext.Current.SendDiagnosticMessage($"device state: {answer[3..]} bytes");
        Assert.StartsWith("error", await port.AskAsync("nonsense"), StringComparison.Ordinal);
        Assert.StartsWith("error: the memory of this VM", await port.AskAsync("memory 8"), StringComparison.Ordinal);
        await _host.RunAsync("kill -9 $!; wait $! || true");
    }

    // What this VMM has written, apart from the guest's memory, which is the mapping of /tmp/memory; clean pages are the page cache's.
    private async Task CheckOverheadAsync()
    {
        string sums = await _host.RunAsync(
            "awk '/^[0-9a-f]+-/ { guest = ($6 == \"/tmp/memory\") } /^Private_Dirty/ { if (guest) own += $2; else vmm += $2 } END { print vmm, own }' /proc/$!/smaps");
        TestContext.Current.SendDiagnosticMessage($"written memory of VMM and of guest, KiB: {sums}");
        int overheadKibibytes = int.Parse(sums.Split(' ')[0], CultureInfo.InvariantCulture);
        // 3 to 5 MiB with two vCPUs, by how far the heap had grown.
        Assert.InRange(overheadKibibytes, 100, 6 * 1024);
    }

    private async Task<string> RunCloneAsync(int port, string name)
    {
        GuestOutput output = new();
        Task<AgentConnection> connecting = _host.ConnectAgentAsync(port, output);
        Stopwatch clock = Stopwatch.StartNew();
        await _host.RunAsync(
            "candela-vmm --memory 128 --vcpus 2 --state 3 --memory-fd 4 --memory-private --agent 5 --disk0 6 --kvm 7 "
            + $"7<>/dev/kvm 3</tmp/state 4</tmp/memory 5<>/dev/vport0p{port} 6</files/image >/tmp/log{port} 2>&1 &");
        await using AgentConnection agent = await connecting;
        TestContext.Current.SendDiagnosticMessage($"clone to the agent's answer: {clock.ElapsedMilliseconds} ms");
        await agent.ConfigureAndStartAsync(
            NewConfiguration(name), new GuestProcess { Arguments = ["/bin/sh", "-c", "echo $(cat /proc/sys/kernel/hostname) $(dd if=/dev/urandom bs=16 count=1 2>/dev/null | md5sum)"], Environment = ["PATH=/bin"] }, Token);
        (int code, string text) = await output.EndAsync();
        Assert.True(code == 0, $"exit code {code}: {text}");
        Assert.Equal(2, (await agent.GetStatisticsAsync(Token)).OnlineCpus);
        Assert.Equal("NoNewPrivs:\t1\nSeccomp:\t2\n", await _host.RunAsync("grep -h -e NoNewPrivs: -e Seccomp: /proc/$!/task/*/status | sort -u"));
        await CheckOverheadAsync();
        await agent.PowerOffAsync(Token);
        Assert.Equal((0, ""), await _host.TryRunAsync("wait $!"));
        Assert.Equal("", await _host.RunAsync($"cat /tmp/log{port}"));
        return text;
    }

    private static GuestConfiguration NewConfiguration(string name) => new()
    {
        HasScratch = false,
        Identity = new GuestIdentity
        {
            Entropy = RandomNumberGenerator.GetBytes(64),
            WallClockNanoseconds = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000,
            Hostname = name,
            MachineId = Guid.NewGuid().ToString("N"),
        },
    };
}
