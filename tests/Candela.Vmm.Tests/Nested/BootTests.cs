using System.Diagnostics;
using Candela.Guest.Protocol.Host;

namespace Candela.Vmm.Tests.Nested;

/// <summary>candela-vmm on KVM: the kernel of every container and its agent, from the first instruction to the agent's answer and the end.</summary>
public sealed class BootTests(NestedHostFixture fixture) : IClassFixture<NestedHostFixture>
{
    private readonly NestedHost _host = fixture.Host;

    [Fact]
    public async Task The_guest_boots_to_its_agents_answer_and_ends_by_reset()
    {
        Task<AgentConnection> connecting = _host.ConnectAgentAsync(2);
        Stopwatch clock = Stopwatch.StartNew();
        await _host.RunAsync($"candela-vmm --memory 128 --kernel 3 --initramfs 4 --agent 5 --cmdline '{NestedHost.KernelArguments}' 3</files/vmlinuz 4</files/initramfs 5<>/dev/vport0p2 >/tmp/log 2>&1 &");
        await using AgentConnection agent = await connecting;
        TestContext.Current.SendDiagnosticMessage($"booted to the agent's answer in {clock.Elapsed.TotalSeconds:F1} s");

        Assert.Empty(await agent.ListAsync(TestContext.Current.CancellationToken));
        await agent.PowerOffAsync(TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), await _host.TryRunAsync("wait $!"));
        Assert.Equal("", await _host.RunAsync("cat /tmp/log"));
    }

    [Fact]
    public async Task A_kernel_that_crashes_ends_the_VMM_with_registers()
    {
        (int code, string output) = await _host.TryRunAsync($"candela-vmm --memory 128 --kernel 3 --cmdline '{NestedHost.KernelArguments.Replace("reboot=k", "reboot=t", StringComparison.Ordinal)}' 3</files/vmlinuz 2>&1");
        Assert.Equal(1, code);
        Assert.Contains("TripleFault", output, StringComparison.Ordinal);
        Assert.Contains("rip=", output, StringComparison.Ordinal);
        Assert.Contains("Kernel panic", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_kernel_is_refused()
    {
        (int code, string output) = await _host.TryRunAsync("candela-vmm --memory 128 --kernel 3 3</files/initramfs 2>&1");
        Assert.Equal(2, code);
        Assert.Contains("neither a bzImage nor an ELF file", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_device_state_is_refused()
    {
        await _host.RunAsync("head -c 5000 /dev/urandom >/tmp/garbage; truncate -s 128M /tmp/empty");
        (int code, string output) = await _host.TryRunAsync("candela-vmm --memory 128 --state 3 --memory-fd 4 --memory-private 3</tmp/garbage 4<>/tmp/empty 2>&1");
        Assert.Equal(2, code);
        Assert.Contains("it is no file of device state", output, StringComparison.Ordinal);
    }
}
