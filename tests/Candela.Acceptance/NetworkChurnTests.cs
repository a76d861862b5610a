using System.Globalization;

namespace Candela.Acceptance;

/// <summary>
/// Whatever happens to containers, networks, VMMs and the daemon, nothing of them stays. CANDELA_NETWORK_CYCLES makes it longer, for
/// example 200; CANDELA_NETWORK_SEED repeats a run.
/// </summary>
[Collection(NetworkCollection.Name)]
public sealed class NetworkChurnTests
{
    private static readonly int Cycles = Setting("CANDELA_NETWORK_CYCLES") ?? 12;

    [Fact]
    public async Task Cycles_with_random_kills_leave_nothing()
    {
        var seed = Setting("CANDELA_NETWORK_SEED") ?? Environment.TickCount;
        var random = new Random(seed);
        await using var platform = new NetworkPlatform();
        await platform.CreateHostAsync();
        var before = await platform.Network.ShowAsync();
        await platform.InitializeAsync();
        for (var cycle = 0; cycle < Cycles; cycle++)
            await CycleAsync(platform, random, cycle);

        // Whoever was cut off may have left a container or a network of his own, which is no remains.
        if ((await platform.DockerAsync("ps", "-aq")).Lines is { Length: > 0 } containers)
            await platform.RemoveAsync(containers);
        _ = (await platform.DockerAsync("network", "prune", "-f")).Text;
        Assert.Equal(["bridge", "none"], (await platform.DockerAsync("network", "ls", "--format", "{{.Name}}")).Lines.Order());
        await Deadlines.UntilAsync($"the host as it was (seed {seed})", async () => await platform.Network.ShowAsync() == before);
        Assert.False(Directory.Exists(platform.RunFolder + "/netns"), $"namespaces are left (seed {seed})");
        await platform.EndAsync();
        Assert.Equal(before, await platform.Network.ShowAsync());
    }

    private static async Task CycleAsync(NetworkPlatform platform, Random random, int cycle)
    {
        var number = cycle.ToString(CultureInfo.InvariantCulture);
        string net = "net-" + number, one = "one-" + number, two = "two-" + number;
        string[] networks = [net, "bridge"];
        _ = (await platform.DockerAsync(["network", "create", .. random.Next(2) == 0 ? (string[])["--internal"] : [], net])).Text;
        _ = await platform.IdleAsync("--name", one, "--network", net, "-p", "127.0.0.1:9000:80");

        // Something is under way when the blow falls.
        string[][] actions =
        [
            ["run", "-d", "--name", two, "--network", networks[random.Next(2)], "-p", "9001-9002:81-82/udp", NetworkPlatform.Image, "sleep", "1000"],
            ["network", "connect", "bridge", one],
            ["network", "disconnect", net, one],
            ["restart", "-t", "0", one],
            ["rm", "-f", one],
        ];
        var moment = TimeSpan.FromMilliseconds(random.Next(400)); // the random moment is the very point
        var blow = random.Next(3);
        using (var action = platform.StartDocker(actions[random.Next(actions.Length)]))
        {
            await Task.Delay(moment);
            if (blow == 0)
                await platform.KillDaemonAsync();
            else if (blow == 1)
                await KillVmmAsync(platform, one);
            _ = await action.FinishAsync();
        }

        if (blow == 0)
            await platform.StartDaemonAsync();
        foreach (var container in (string[])[one, two])
            _ = await platform.DockerAsync("rm", "-f", container);
        if ((await platform.DockerAsync("network", "rm", net)).ExitCode != 0)
            await Deadlines.UntilAsync($"removal of network {net}", async () => (await platform.DockerAsync("network", "rm", net)).ExitCode == 0);
    }

    private static async Task KillVmmAsync(Platform platform, string container)
    {
        var pid = await platform.DockerAsync("inspect", "-f", "{{.State.Pid}}", container);
        // It may have been removed by what is under way, or be about to start.
        if (pid.ExitCode == 0 && int.Parse(pid.Text, CultureInfo.InvariantCulture) is > 0 and var vmm && HostProcesses.CommandLine(vmm).Any(a => a.Contains("qemu", StringComparison.Ordinal)))
            Platform.Signal(vmm, 9);
    }

    private static int? Setting(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
