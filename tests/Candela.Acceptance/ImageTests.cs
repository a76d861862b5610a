namespace Candela.Acceptance;

/// <summary>Images: loaded, imported, pulled from a real registry, named and removed.</summary>
public sealed class ImageTests(Platform platform)
{
    private static readonly string[] Shown = ["lower", "content", "yes", "gone", "/work"];

    [Fact]
    public async Task Saved_image_is_loaded_and_runs()
    {
        var image = new TestImage("content");
        Assert.Contains("Loaded image: test/loaded:1", (await LoadAsync(image.Archive("test/loaded:1"))).Text, StringComparison.Ordinal);
        Assert.Equal(Shown, (await platform.DockerAsync("run", "--rm", "--network=none", "test/loaded:1")).Lines);
        Assert.Equal(
            $"{image.Id} test amd64 [PATH=/bin FROM_IMAGE=yes] /work 2024-01-02T03:04:05Z",
            (await platform.DockerAsync("image", "inspect", "-f", "{{.Id}} {{index .Config.Labels \"made.by\"}} {{.Architecture}} {{.Config.Env}} {{.Config.WorkingDir}} {{.Created}}", "test/loaded:1")).Text);
        _ = (await platform.DockerAsync("rmi", "test/loaded:1")).Text;
    }

    [Fact]
    public async Task Names_come_and_go_and_the_last_takes_the_image_along()
    {
        var image = new TestImage("names");
        _ = (await LoadAsync(image.Archive("test/names:1"))).Text;
        _ = (await platform.DockerAsync("tag", "test/names:1", "test/names:2")).Text;
        Assert.Equal(["1", "2"], (await platform.DockerAsync("images", "--format", "{{.Tag}}", "test/names")).Lines.Order());
        Assert.Contains("Untagged: test/names:1", (await platform.DockerAsync("rmi", "test/names:1")).Text, StringComparison.Ordinal);
        var last = (await platform.DockerAsync("rmi", "test/names:2")).Text;
        Assert.Contains("Untagged: test/names:2", last, StringComparison.Ordinal);
        Assert.Contains($"Deleted: {image.Id}", last, StringComparison.Ordinal);
        Assert.Contains("No such image", (await platform.DockerAsync("image", "inspect", image.Id)).Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Image_in_use_is_not_removed()
    {
        _ = (await LoadAsync(new TestImage("used").Archive("test/used:1"))).Text;
        var container = (await platform.DockerAsync("create", "--network=none", "test/used:1")).Text;
        var refused = await platform.DockerAsync("rmi", "test/used:1");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"container {container[..12]} is using its referenced image", refused.Error, StringComparison.Ordinal);
        await platform.RemoveAsync(container);
        _ = (await platform.DockerAsync("rmi", "test/used:1")).Text;
    }

    [Fact]
    public async Task Root_file_system_is_imported()
    {
        using var import = platform.StartDocker("import", "-c", "CMD [\"cat\", \"/etc/lower\"]", "-", "test/imported:1");
        await import.Input.WriteAsync(new TestImage("import").RootArchive());
        Assert.StartsWith("sha256:", (await import.FinishAsync()).Text, StringComparison.Ordinal);
        Assert.Equal("lower", (await platform.DockerAsync("run", "--rm", "--network=none", "-e", "PATH=/bin", "test/imported:1")).Text);
        _ = (await platform.DockerAsync("rmi", "test/imported:1")).Text;
    }

    [Fact]
    public async Task Image_is_pulled_from_a_registry_when_it_is_run()
    {
        await using var registry = await RegistryServer.StartAsync();
        var image = new TestImage("content");
        var (digest, _) = await registry.PushImageAsync("team/app", "v1", image.Configuration, image.CompressedLayers);
        var reference = $"{registry.Authority}/team/app:v1";
        var run = await platform.DockerAsync("run", "--rm", "--network=none", reference);
        Assert.Equal(Shown, run.Lines);
        Assert.Contains("Status: Downloaded newer image", run.Error, StringComparison.Ordinal);
        var again = (await platform.DockerAsync("pull", reference)).Text;
        Assert.Contains("Image is up to date", again, StringComparison.Ordinal);
        Assert.Contains($"Digest: {digest}", again, StringComparison.Ordinal);
        Assert.Equal($"[{registry.Authority}/team/app@{digest}]", (await platform.DockerAsync("image", "inspect", "-f", "{{.RepoDigests}}", reference)).Text);
        _ = (await platform.DockerAsync("rmi", "-f", reference)).Text;
    }

    [Fact]
    public async Task Registry_s_refusals_are_told_as_docker_does()
    {
        await using var registry = await RegistryServer.StartAsync(password: true);
        var refused = await platform.DockerAsync("pull", $"{registry.Authority}/team/app:v1");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("no basic auth credentials", refused.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Pull_of_an_unknown_image_fails_with_125()
    {
        await using var registry = await RegistryServer.StartAsync();
        var result = await platform.DockerAsync("run", "--rm", "--network=none", $"{registry.Authority}/no/such:image");
        Assert.Equal(125, result.ExitCode);
        Assert.Contains("not found", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(0, 0.99)]
    [InlineData(512, 1)]
    public async Task Damaged_archive_is_refused_and_leaves_nothing(int skipped, double part)
    {
        var before = ImageFiles();
        var archive = new TestImage($"damaged {skipped} {part}").Archive("test/damaged:1");
        var result = await LoadAsync(archive[skipped..(int)(archive.Length * part)]);
        Assert.Equal(1, result.ExitCode);
        Assert.NotEqual("", result.Error);
        Assert.Equal("", (await platform.DockerAsync("images", "-q", "test/damaged")).Text);
        Assert.Equal(before, ImageFiles());
    }

    [Fact]
    public async Task What_is_no_archive_is_refused()
    {
        var result = await LoadAsync("this is no tar"u8.ToArray());
        Assert.Equal(1, result.ExitCode);
    }

    [Fact]
    public async Task Built_in_image_is_listed()
        => Assert.Contains("candela/base:latest", (await platform.DockerAsync("images", "--format", "{{.Repository}}:{{.Tag}}")).Lines);

    private async Task<CommandResult> LoadAsync(byte[] archive)
    {
        using var load = platform.StartDocker("load");
        try
        {
            await load.Input.WriteAsync(archive);
        }
        catch (IOException)
        {
            // Refused before its end.
        }

        return await load.FinishAsync();
    }

    /// <summary>All files of the image store, but for its database.</summary>
    private string[] ImageFiles() => [.. Directory.EnumerateFiles(platform.StateFolder + "/images", "*", SearchOption.AllDirectories)
        .Where(file => !Path.GetFileName(file).StartsWith('.')).Order()];
}
