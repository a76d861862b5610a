using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Candela.Acceptance;

/// <summary>Images built here and by dockerd from the same Dockerfiles (folder Builds) are the same, and run there when they are saved and loaded.</summary>
public sealed class BuildTests(Platform platform, DockerDaemon docker) : IClassFixture<DockerDaemon>
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Builds");

    /// <summary>What Docker itself puts into containers.</summary>
    private static readonly string[] OfTheEngine = [".dockerenv", "dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab"];

    public static TheoryData<string> Names() => [.. Directory.EnumerateDirectories(Folder).Select(static folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Docker_builds_the_same(string name)
    {
        string tag = $"built/{name}:1";
        string[] build = ["build", "--network", "none", "-t", tag, .. Options(name), Path.Combine(Folder, name)];
        await ShareBaseAsync();
        _ = (await platform.DockerAsync(build)).Text;
        _ = (await docker.DockerAsync(build)).Text;

        Assert.Equal(await ConfigurationAsync(docker.DockerAsync, tag), await ConfigurationAsync(platform.DockerAsync, tag));
        SortedDictionary<string, string> theirs = await FilesAsync(docker.DockerAsync, docker.StartDocker, tag), ours = await FilesAsync(platform.DockerAsync, platform.StartDocker, tag);
        Assert.Equal(Lines(theirs), Lines(ours));
        CommandResult run = await docker.DockerAsync("run", "--rm", "--network", "none", tag);

        // By way of an archive it is an image of Docker's.
        await CopyAsync(tag, to: docker);
        Assert.Equal(Lines(theirs), Lines(await FilesAsync(docker.DockerAsync, docker.StartDocker, tag)));
        CommandResult loaded = await docker.DockerAsync("run", "--rm", "--network", "none", tag);
        Assert.Equal((run.ExitCode, run.Output), (loaded.ExitCode, loaded.Output));
        _ = (await platform.DockerAsync("rmi", "-f", tag)).Text;
        _ = (await docker.DockerAsync("rmi", "-f", tag)).Text;
    }

    [Fact]
    public async Task A_failed_command_gives_its_exit_code_and_leaves_no_container()
    {
        CommandResult failed = await BuildAsync("FROM candela/base\nRUN echo said; sleep 1000 & exit 7\n", "failed");
        Assert.Equal(7, failed.ExitCode);
        Assert.Contains("said", failed.Output, StringComparison.Ordinal);
        Assert.Contains("The command '/bin/sh -c echo said; sleep 1000 & exit 7' returned a non-zero code: 7", failed.Error, StringComparison.Ordinal);
        Assert.Empty((await platform.DockerAsync("ps", "-aq", "--filter", "status=running", "--filter", "status=exited", "--filter", "ancestor=failed")).Lines);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_the_build()
    {
        using TemporaryFolder context = new();
        File.WriteAllText(context.File("Dockerfile"), "FROM candela/base\nLABEL left=yes\nRUN echo begun; sleep 1000\n");
        using (RunningCommand build = platform.StartDocker("build", "--network", "none", context.Path))
        {
            await build.ReadUntilAsync("begun");
            await Deadlines.UntilAsync("the build's container", async () => (await BuildContainersAsync()).Length > 0);
        }

        await Deadlines.UntilAsync("the removal of the build's container", async () => (await BuildContainersAsync()).Length == 0);

        async Task<string[]> BuildContainersAsync() => (await platform.DockerAsync("ps", "-aq", "--filter", "label=left")).Lines;
    }

    [Fact]
    public async Task Quiet_says_the_id_only()
    {
        CommandResult quiet = await BuildAsync("FROM candela/base\nRUN echo loud\n", "quiet", "-q");
        Assert.Equal((await platform.DockerAsync("image", "inspect", "-f", "{{.Id}}", "quiet")).Text, quiet.Text);
    }

    [Theory]
    [InlineData("squash is not supported", "--squash", ".")]
    [InlineData("is not supported", "https://example.org/repository.git")]
    public async Task What_is_not_supported_is_refused_with_a_reason(string reason, params string[] arguments)
    {
        using TemporaryFolder context = new();
        File.WriteAllText(context.File("Dockerfile"), "FROM candela/base\n");
        CommandResult refused = await platform.DockerAsync(["build", .. arguments.Select(argument => argument == "." ? context.Path : argument)]);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.True(refused.Error.Contains(reason, StringComparison.Ordinal) || refused.Error.Contains("experimental", StringComparison.Ordinal) || refused.Error.Contains("git", StringComparison.Ordinal), refused.ToString());
    }

    private async Task<CommandResult> BuildAsync(string file, string tag, params string[] options)
    {
        using TemporaryFolder context = new();
        File.WriteAllText(context.File("Dockerfile"), file);
        return await platform.DockerAsync(["build", "--network", "none", "-t", tag, .. options, context.Path]);
    }

    private static string[] Options(string name) => name switch
    {
        "02-arguments" => ["--build-arg", "GIVEN=given"],
        "20-target" => ["--target", "wanted"],
        _ => [],
    };

    private async Task ShareBaseAsync()
    {
        if ((await docker.DockerAsync("image", "inspect", Platform.Image)).ExitCode != 0)
            await CopyAsync(Platform.Image, docker);
    }

    private async Task CopyAsync(string image, DockerDaemon to)
    {
        using RunningCommand save = platform.StartDocker("save", image), load = to.StartDocker("load");
        await save.Output.CopyToAsync(load.Input);
        _ = (await load.FinishAsync()).Text;
    }

    private static async Task<string> ConfigurationAsync(Func<string[], Task<CommandResult>> run, string tag)
    {
        JsonObject configuration = JsonNode.Parse((await run(["image", "inspect", "-f", "{{json .Config}}", tag])).Text)!.AsObject();
        foreach (string ofABuildContainer in (string[])["Hostname", "Image"])
            configuration.Remove(ofABuildContainer);
        return string.Join('\n', configuration.Where(static member => member.Value is not null).OrderBy(static member => member.Key, StringComparer.Ordinal).Select(static member => $"{member.Key}={member.Value!.ToJsonString()}"));
    }

    private static string Lines(SortedDictionary<string, string> files) => string.Join('\n', files.Select(static file => $"{file.Key} {file.Value}"));

    /// <summary>Kind, mode, owner and content of each file.</summary>
    private static async Task<SortedDictionary<string, string>> FilesAsync(Func<string[], Task<CommandResult>> run, Func<string[], RunningCommand> start, string tag)
    {
        // Where volumes go, dockerd makes folders at the first start, and Candela when the files are looked at.
        string[] volumes = (await run(["image", "inspect", "-f", "{{range $path, $_ := .Config.Volumes}}{{$path}} {{end}}", tag])).Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string container = (await run(["create", "--network", "none", tag, "/x"])).Text.Split('\n')[^1];
        SortedDictionary<string, string> files = new(StringComparer.Ordinal);
        Dictionary<string, string> links = [];
        using (RunningCommand export = start(["export", container]))
        using (MemoryStream tar = new())
        {
            await export.Output.CopyToAsync(tar);
            tar.Position = 0;
            using TarReader reader = new(tar);
            while (reader.GetNextEntry() is { } entry)
            {
                string name = entry.Name.TrimEnd('/');
                name = name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
                if (name.Length == 0 || name == "." || OfTheEngine.Contains(name) || OfTheEngine.Contains(name.Split('/')[0]) || volumes.Contains("/" + name))
                    continue;
                string content = entry.DataStream is { } stream ? Convert.ToHexString(await SHA256.HashDataAsync(stream)) : entry.LinkName;
                if (entry.EntryType == TarEntryType.HardLink)
                    links[name] = entry.LinkName;
                else
                    files[name] = $"{(char)entry.EntryType} {Convert.ToString((int)entry.Mode & 0b111_111_111_111, 8)} {entry.Uid}:{entry.Gid} {content}";
            }
        }

        // Which of several names of a file comes first is of no account.
        foreach ((string name, string target) in links)
            files[name] = files[target.StartsWith("./", StringComparison.Ordinal) ? target[2..] : target];
        _ = (await run(["rm", "-v", container])).Text;
        return files;
    }
}
