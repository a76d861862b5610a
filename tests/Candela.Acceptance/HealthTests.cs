namespace Candela.Acceptance;

/// <summary>Health checks through the docker CLI on real micro-VMs.</summary>
public sealed class HealthTests(Platform platform)
{
    [Fact]
    public async Task Health_follows_the_probe()
    {
        var id = await platform.StartContainerAsync(["--health-cmd", "cat /state && [ -e /state ]", "--health-interval", "500ms", "--health-retries", "2"], "sleep", "1000");
        Assert.Contains("(health: starting)", (await platform.DockerAsync("ps", "--format", "{{.Status}}", "--filter", "id=" + id)).Text, StringComparison.Ordinal);

        await Deadlines.UntilAsync("its bad health", async () => await HealthAsync(id) == "unhealthy");
        Assert.Equal(0, (await platform.DockerAsync("exec", id, "sh", "-c", "echo fine > /state")).ExitCode);
        await Deadlines.UntilAsync("its good health", async () => await HealthAsync(id) == "healthy");

        Assert.Contains("fine", (await platform.DockerAsync("inspect", "-f", "{{(index .State.Health.Log 0).Output}}{{range .State.Health.Log}}{{.Output}}{{end}}", id)).Text, StringComparison.Ordinal);
        Assert.EndsWith("(healthy)", (await platform.DockerAsync("ps", "--format", "{{.Status}}", "--filter", "health=healthy", "--filter", "id=" + id)).Text, StringComparison.Ordinal);
        await platform.RemoveAsync(id);
    }

    [Fact]
    public async Task A_probe_that_hangs_fails()
    {
        var id = await platform.StartContainerAsync(["--health-cmd", "sleep 1000", "--health-interval", "500ms", "--health-timeout", "1s", "--health-retries", "1"], "sleep", "1000");
        await Deadlines.UntilAsync("its bad health", async () => await HealthAsync(id) == "unhealthy");
        Assert.Contains("exceeded timeout", (await platform.DockerAsync("inspect", "-f", "{{(index .State.Health.Log 0).Output}}", id)).Text, StringComparison.Ordinal);
        await platform.RemoveAsync(id);
    }

    private async Task<string> HealthAsync(string id) => (await platform.DockerAsync("inspect", "-f", "{{.State.Health.Status}}", id)).Text;
}
