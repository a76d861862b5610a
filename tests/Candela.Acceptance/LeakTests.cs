using System.Globalization;

namespace Candela.Acceptance;

/// <summary>Whatever happens to containers, nothing of them stays. CANDELA_LEAK_CYCLES makes it longer, for example 500.</summary>
[Collection(RestartCollection.Name)]
public sealed class LeakTests(RestartPlatform platform)
{
    private static readonly int Cycles = int.Parse(Environment.GetEnvironmentVariable("CANDELA_LEAK_CYCLES") ?? "30", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Cycles_with_random_ends_leave_nothing()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        await EverythingEndedAsync();
        var descriptors = DescriptorCount();
        for (var done = 0; done < Cycles; done += 5)
            await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => CycleAsync(random.Next(6), random.NextDouble())));

        await EverythingEndedAsync();
        // Made for a client that was killed while it asked for it, after that cycle had looked.
        if ((await platform.DockerAsync("ps", "-aq", "--filter", "name=leak-", "--filter", "status=created")).Lines is { Length: > 0 } neverRun)
            await platform.RemoveAsync(neverRun);
        Assert.Empty(platform.Remains.ContainerFiles());
        Assert.DoesNotContain(platform.Remains.Mounts(), mount => !mount.EndsWith("/spare-taps", StringComparison.Ordinal)); // those are for containers to come
        await Deadlines.UntilAsync($"the closing of descriptors (seed {seed}; {descriptors} before, {DescriptorCount()} after)", () => DescriptorCount() < descriptors + 20);
    }

    private async Task CycleAsync(int way, double moment)
    {
        var delay = TimeSpan.FromSeconds(moment); // the random moment is the very point
        switch (way)
        {
            case 0:
                _ = (await platform.ShellAsync("exit 0")).Text;
                break;
            case 1:
                var orphan = $"leak-{Guid.NewGuid():n}";
                using (var client = platform.StartDocker("run", "--rm", "--name", orphan, "--network=none", Platform.Image, "sleep", "2"))
                {
                    await Task.Delay(delay);
                    client.Kill();
                }

                // Killed between create and start, it leaves a container that never ran.
                if ((await platform.DockerAsync("ps", "-aq", "--filter", $"name={orphan}", "--filter", "status=created")).Text.Length > 0)
                    await platform.RemoveAsync(orphan);
                break;
            case 2:
                var killed = await platform.StartContainerAsync([], "sleep", "1000");
                await Task.Delay(delay);
                Platform.Signal((await Vmm.OfAsync(platform, killed)).Pid, 9);
                await platform.RemoveAsync(killed);
                break;
            case 3:
                var name = $"leak-{Guid.NewGuid():n}";
                using (var starting = platform.StartDocker("run", "-d", "--name", name, "--network=none", Platform.Image, "sleep", "1000"))
                {
                    await Task.Delay(delay / 2);
                    await Deadlines.UntilAsync("the forced removal", async () => (await platform.DockerAsync("rm", "-f", name)).ExitCode == 0);
                    _ = await starting.FinishAsync();
                }

                // rm -f is content when there is none yet.
                _ = await platform.DockerAsync("rm", "-f", name);

                break;
            case 4:
                var attached = await platform.StartContainerAsync([], "sh", "-c", "while :; do echo x; done");
                using (var reader = platform.StartDocker("logs", "-f", attached))
                {
                    await Task.Delay(delay);
                    await platform.RemoveAsync(attached);
                }

                break;
            default:
                var id = (await platform.DockerAsync("create", "--network=none", Platform.Image, "no-such-program")).Text;
                _ = await platform.DockerAsync("start", id);
                await platform.RemoveAsync(id);
                break;
        }
    }

    /// <summary>No containers, and no VMMs but those that wait for a claim.</summary>
    private async Task EverythingEndedAsync()
    {
        await Deadlines.UntilAsync("the end of all containers", async () => (await platform.DockerAsync("ps", "-aq", "--filter", "name=leak-")).Text == "");
        await Deadlines.UntilAsync("the end of all VMMs but waiting ones", () => platform.Remains.VmmFolders().Length <= 2 && platform.Remains.ControlGroups().Select(Path.GetFileName).Distinct().Count() <= 2);
    }

    private int DescriptorCount() => Directory.EnumerateFileSystemEntries($"/proc/{platform.DaemonPid}/fd").Count();
}
