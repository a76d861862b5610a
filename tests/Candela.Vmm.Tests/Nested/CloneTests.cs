using System.Diagnostics;
using System.Security.Cryptography;
using Candela.Guest.Protocol.Host;

namespace Candela.Vmm.Tests.Nested;

/// <summary>Clones: device state from a file, memory mapped copy-on-write, each an own VM that runs an own container.</summary>
public sealed class CloneTests(NestedHostFixture fixture) : IClassFixture<NestedHostFixture>
{
    private const int ParentAgentPort = 2, ControlPort = 3, FirstClonePort = 4, CloneCount = 3;
    private readonly NestedHost _host = fixture.Host;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Clones_of_a_snapshot_run_containers_of_their_own()
    {
        await MakeParentAsync();
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

    [Fact]
    public async Task Damaged_device_state_is_refused()
    {
        await _host.RunAsync("head -c 5000 /dev/urandom >/tmp/garbage; truncate -s 128M /tmp/empty");
        (int code, string output) = await _host.TryRunAsync("candela-vmm --memory 128 --state 3 --memory-fd 4 --memory-private 3</tmp/garbage 4<>/tmp/empty 2>&1");
        Assert.Equal(2, code);
        Assert.Contains("it is no file of device state", output, StringComparison.Ordinal);
    }

    private async Task MakeParentAsync()
    {
        await using Stream control = await _host.ConnectPortAsync(ControlPort);
        Task<AgentConnection> connecting = _host.ConnectAgentAsync(ParentAgentPort);
        await _host.RunAsync("truncate -s 128M /tmp/memory");
        await _host.RunAsync(
            $"candela-vmm --memory 128 --kernel 3 --initramfs 4 --agent 5 --memory-fd 6 --control 7 --cmdline '{NestedHost.KernelArguments}' "
            + $"3</files/vmlinuz 4</files/initramfs 5<>/dev/vport0p{ParentAgentPort} 6<>/tmp/memory 7<>/dev/vport0p{ControlPort} 8>/tmp/state >/tmp/log 2>&1 &");
        await using (AgentConnection agent = await connecting)
            Assert.Empty(await agent.ListAsync(Token));

        using StreamReader answers = new(control);
        await using StreamWriter commands = new(control) { AutoFlush = true };
        Assert.Equal("ok running", await AskAsync("status"));
        Assert.StartsWith("error: pause", await AskAsync("snapshot 8"), StringComparison.Ordinal);
        Assert.Equal("ok", await AskAsync("pause"));
        string answer = await AskAsync("snapshot 8");
        Assert.StartsWith("ok ", answer, StringComparison.Ordinal);
        TestContext.Current.SendDiagnosticMessage($"device state: {answer[3..]} bytes");
        Assert.StartsWith("error", await AskAsync("nonsense"), StringComparison.Ordinal);
        await _host.RunAsync("kill -9 $!; wait $! || true");

        async Task<string> AskAsync(string command)
        {
            await commands.WriteAsync((command + "\n").AsMemory(), Token);
            return await answers.ReadLineAsync(Token).AsTask().WaitAsync(TimeSpan.FromMinutes(5), Token) ?? "";
        }
    }

    private async Task<string> RunCloneAsync(int port, string name)
    {
        GuestOutput output = new();
        Task<AgentConnection> connecting = _host.ConnectAgentAsync(port, output);
        Stopwatch clock = Stopwatch.StartNew();
        await _host.RunAsync(
            "candela-vmm --memory 128 --state 3 --memory-fd 4 --memory-private --agent 5 --disk0 6 "
            + $"3</tmp/state 4</tmp/memory 5<>/dev/vport0p{port} 6</files/image >/tmp/log{port} 2>&1 &");
        await using AgentConnection agent = await connecting;
        TestContext.Current.SendDiagnosticMessage($"clone to the agent's answer: {clock.ElapsedMilliseconds} ms");
        GuestConfiguration configuration = new()
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
        await agent.ConfigureAndStartAsync(
            configuration, new GuestProcess { Arguments = ["/bin/sh", "-c", "echo $(cat /proc/sys/kernel/hostname) $(dd if=/dev/urandom bs=16 count=1 2>/dev/null | md5sum)"], Environment = ["PATH=/bin"] }, Token);
        (int code, string text) = await output.EndAsync();
        Assert.True(code == 0, $"exit code {code}: {text}");
        await agent.PowerOffAsync(Token);
        Assert.Equal((0, ""), await _host.TryRunAsync("wait $!"));
        Assert.Equal("", await _host.RunAsync($"cat /tmp/log{port}"));
        return text;
    }
}
