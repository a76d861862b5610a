using System.Text;
using Candela.Images;
using Candela.Images.Files;
using Candela.Model;

namespace Candela.Build.Tests;

public sealed class BuilderTests : IDisposable
{
    private readonly StoreHost _host = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Stages_arguments_and_configuration()
    {
        await BaseAsync();
        (Image image, string output) = await BuildAsync(
            """
            ARG BASE=base
            FROM ${BASE} AS one
            ARG WHO=nobody
            ENV A="x $WHO" B=2
            WORKDIR app
            RUN write /app/made
            FROM one
            COPY --from=one /app/made /copied/
            LABEL l=$B
            EXPOSE 80 90-91/udp
            VOLUME ["/v"]
            USER u:$B
            STOPSIGNAL SIGINT
            HEALTHCHECK --interval=1m30s --retries=2 CMD test $B
            SHELL ["/bin/bash", "-c"]
            ENTRYPOINT run
            CMD ["a", "$B"]
            ONBUILD RUN write /triggered
            """,
            request => request with { BuildArguments = new Dictionary<string, string?> { ["WHO"] = "me", ["UNUSED"] = "1" }, Labels = new Dictionary<string, string> { ["given"] = "yes" }, Tags = ["out:1", "out:2"] });

        ImageConfiguration configuration = image.Configuration;
        Assert.Equal(["PATH=/p", "A=x me", "B=2"], configuration.Environment);
        Assert.Equal(("/app", "u:2", "SIGINT"), (configuration.WorkingDirectory, configuration.User, configuration.StopSignal));
        Assert.Equal(["80/tcp", "90/udp", "91/udp"], configuration.ExposedPorts.Order());
        Assert.Equal(["/v"], configuration.Volumes);
        Assert.Equal(["/bin/bash", "-c", "run"], configuration.Entrypoint!);
        Assert.Equal(["a", "$B"], configuration.Command!);
        Assert.Equal(["RUN write /triggered"], configuration.OnBuild);
        Assert.Equal((90_000, 2, "CMD-SHELL test $B"), (configuration.HealthCheck!.IntervalMilliseconds, configuration.HealthCheck.Retries, string.Join(' ', configuration.HealthCheck.Test)));
        Assert.Equal(("2", "yes"), (configuration.Labels["l"], configuration.Labels["given"]));
        Assert.Equal(["out:1", "out:2"], image.Tags.Order());
        Assert.Equal(["/bin/sh", "-c", "write /app/made"], _host.Runs[0].Command!);
        Assert.Contains("WHO=me", _host.Runs[0].Environment);
        Assert.Contains("|1 WHO=me /bin/sh -c write /app/made", image.History.Select(static step => step.CreatedBy));
        Assert.Contains("Step 1/19 : ARG BASE=base\nStep 2/19 : FROM ${BASE} AS one\n ---> ", output, StringComparison.Ordinal);
        Assert.Contains("said\nRemoving intermediate container cccccccccccc\n ---> ", output, StringComparison.Ordinal);
        Assert.Contains("Step 19/19 : LABEL given=yes\n", output, StringComparison.Ordinal);
        Assert.Contains("[Warning] One or more build-args [UNUSED] were not consumed\n", output, StringComparison.Ordinal);
        Assert.Equal("made", await ReadAsync(image, "/copied/made"));
        Assert.Equal((0, true), (_host.ContainerCount, _host.IsTidy));

        // What it left for the next ones.
        (Image triggered, string second) = await BuildAsync("FROM out:1");
        Assert.Contains("# Executing 1 build trigger\n", second, StringComparison.Ordinal);
        Assert.Equal("made", await ReadAsync(triggered, "/triggered"));
        Assert.Empty(triggered.Configuration.OnBuild);
    }

    [Fact]
    public async Task Files_of_the_context_are_copied_as_Docker_copies_them()
    {
        await BaseAsync(("etc/", ""), ("etc/passwd", "u:x:5:6::/:\n"), ("etc/group", "g:x:9:\n"), ("there/", ""));
        byte[] inner = StoreHost.Tar(("packed", "p"));
        (Image image, _) = await BuildAsync(
            """
            FROM base
            WORKDIR /w
            COPY a.txt renamed
            COPY a.txt there/
            COPY a.txt /there
            COPY dir /copy
            COPY dir/sub a.t* many/
            COPY --chown=u:g --chmod=4711 a.txt /owned
            COPY --chown=u:g dir /own/deep
            ADD archive.tar /unpacked
            ADD http://example.org/x/file.bin /fetched/
            COPY <<A <<"B" /docs/
            a $PATH
            A
            b $PATH
            B
            """,
            null, ("a.txt", "a"), ("dir/", ""), ("dir/f", "f"), ("dir/sub/", ""), ("dir/sub/g", "g"), ("archive.tar", Encoding.Latin1.GetString(inner)));

        foreach ((string path, string content) in ((string, string)[])
            [("w/renamed", "a"), ("w/there/a.txt", "a"), ("there/a.txt", "a"), ("copy/f", "f"), ("copy/sub/g", "g"), ("w/many/g", "g"), ("w/many/a.txt", "a"), ("unpacked/packed", "p"), ("fetched/file.bin", "fetched"), ("docs/A", "a /p\n"), ("docs/B", "b $PATH\n")])
            Assert.Equal((path, content), (path, await ReadAsync(image, path)));
        Assert.Equal(("0:0 640", "5:9 4711", "7:8 640", "0:0 600"), (await StatAsync(image, "copy/f"), await StatAsync(image, "owned"), await StatAsync(image, "unpacked/packed"), await StatAsync(image, "fetched/file.bin")));
        Assert.Equal("7:8 700", await StatAsync(image, "there")); // as the image has it
        Assert.Equal(("0:0 755", "0:0 755", "5:9 755"), (await StatAsync(image, "copy"), await StatAsync(image, "own"), await StatAsync(image, "own/deep")));
    }

    [Fact]
    public async Task What_was_built_is_taken_again_until_something_changes()
    {
        await BaseAsync();
        const string file = "FROM base\nCOPY a /a\nRUN write /b\nENV x=1\n";
        (Image first, _) = await BuildAsync(file, null, ("a", "1"));
        (Image same, string output) = await BuildAsync(file, null, ("a", "1"));
        Assert.Equal(first.Id, same.Id);
        Assert.Equal(3, output.Split(" ---> Using cache\n").Length - 1);
        Assert.Single(_host.Runs);

        (Image changed, output) = await BuildAsync(file, null, ("a", "2"));
        Assert.NotEqual(first.Id, changed.Id);
        Assert.DoesNotContain("Using cache", output, StringComparison.Ordinal);
        (_, output) = await BuildAsync(file, request => request with { IgnoresCache = true }, ("a", "1"));
        Assert.DoesNotContain("Using cache", output, StringComparison.Ordinal);
        Assert.Equal(3, _host.Runs.Count);
    }

    [Fact]
    public async Task Steps_are_not_listed_and_go_with_the_image_or_when_they_are_pruned()
    {
        await BaseAsync();
        (Image image, _) = await BuildAsync("FROM base\nRUN write /a\nRUN write /b\n", request => request with { Tags = ["out"] });
        Assert.Equal(["base:latest", "out:latest"], (await _host.Store.ListAsync(Token)).SelectMany(static one => one.Tags).Order());
        Image step = await _host.Store.GetAsync(image.ParentId, Token);
        IReadOnlyList<ImageRemoval> removed = await _host.Store.RemoveAsync("out", force: false, static _ => false, Token);
        Assert.Equal([image.Id, step.Id], removed.Select(static one => one.Deleted).OfType<string>());
        Assert.Equal(ErrorCode.ImageNotFound, (await Assert.ThrowsAsync<CandelaException>(() => _host.Store.GetAsync(step.Id, Token))).Code);

        (image, _) = await BuildAsync("FROM base\nRUN write /a\nRUN write /b\n", request => request with { Tags = ["out"] });
        await _host.Store.PruneBuiltAsync(static _ => false, Token);
        Assert.Equal("made", await ReadAsync(await _host.Store.GetAsync("out", Token), "a"));
        Assert.Equal(ErrorCode.ImageNotFound, (await Assert.ThrowsAsync<CandelaException>(() => _host.Store.GetAsync(image.ParentId, Token))).Code);
    }

    [Fact]
    public async Task A_failed_command_ends_the_build_and_leaves_no_container()
    {
        await BaseAsync();
        BuildCommandException e = await Assert.ThrowsAsync<BuildCommandException>(() => BuildAsync("FROM base\nRUN fail 3\n"));
        Assert.Equal((3, "The command '/bin/sh -c fail 3' returned a non-zero code: 3"), (e.ExitCode, e.Message));
        Assert.Equal((0, true), (_host.ContainerCount, _host.IsTidy));
    }

    [Theory]
    [InlineData("RUN a", "no build stage in current context")]
    [InlineData("FROM base\nCOPY none /x", "COPY failed: file not found in build context or excluded by .dockerignore: stat none: file does not exist")]
    [InlineData("FROM base\nCOPY ../x /x", "COPY failed: forbidden path outside the build context: ../x ()")]
    [InlineData("FROM base\nCOPY secret /x", "COPY failed: file not found in build context or excluded by .dockerignore: stat secret: file does not exist")]
    [InlineData("FROM base\nCOPY a b /x", "COPY failed: When using COPY with more than one source file, the destination must be a directory and end with a /")]
    [InlineData("FROM base\nCOPY --chown=nobody a /x", "COPY failed: unable to convert uid/gid chown string to host mapping: can't find uid for user nobody: no such user: nobody")]
    [InlineData("FROM base\nCOPY --from=9 a /x", "invalid from flag value 9: invalid stage index 9")]
    [InlineData("FROM base\nRUN --mount=type=secret,id=x true", "dockerfile parse error line 2: the --mount option is not supported: it needs BuildKit")]
    [InlineData("FROM base\nEXPOSE 99999", "dockerfile parse error line 2: invalid containerPort: 99999")]
    [InlineData("FROM base\nONBUILD FROM x", "dockerfile parse error line 2: FROM isn't allowed as an ONBUILD trigger")]
    [InlineData("FROM base\nSHELL sh", "dockerfile parse error line 2: SHELL requires the arguments to be in JSON form")]
    [InlineData("FROM scratch\nRUN true", "Please provide a source image with `from` prior to run")]
    [InlineData("FROM none", "No such image: none:latest")]
    public async Task What_cannot_be_built_is_refused_in_clear_words(string file, string message)
    {
        await BaseAsync();
        CandelaException e = await Assert.ThrowsAsync<CandelaException>(() => BuildAsync(file, null, (".dockerignore", "secret"), ("secret", "s"), ("a", "a"), ("b", "b")));
        Assert.Equal(message, e.Message);
        Assert.True(_host.IsTidy);
    }

    [Fact]
    public async Task A_target_ends_the_build_early()
    {
        await BaseAsync();
        const string file = "FROM base AS One\nRUN write /one\nFROM one AS two\nRUN write /two\n";
        (Image image, string output) = await BuildAsync(file, request => request with { Target = "one" });
        Assert.Equal("made", await ReadAsync(image, "one"));
        Assert.Contains("Step 2/2 : ", output, StringComparison.Ordinal);
        (image, _) = await BuildAsync(file, request => request with { Target = "1" });
        Assert.Equal("made", await ReadAsync(image, "two"));
        Assert.Contains("failed to reach build target", (await Assert.ThrowsAsync<CandelaException>(() => BuildAsync(file, request => request with { Target = "three" }))).Message, StringComparison.Ordinal);
    }

    private async Task BaseAsync(params (string, string)[] files) =>
        await _host.Store.ImportAsync(new MemoryStream(StoreHost.Tar([("base", "base"), .. files])), "base", new ImageConfiguration { Environment = ["PATH=/p"] }, Token);

    private async Task<(Image Image, string Output)> BuildAsync(string file, Func<BuildRequest, BuildRequest>? change = null, params (string, string)[] context)
    {
        // Contents are Latin-1 here, so that archives can be among them.
        byte[] tar = StoreHost.Tar([("Dockerfile", file), .. context.Where(static one => one.Item1 != "archive.tar")]);
        if (context.FirstOrDefault(static one => one.Item1 == "archive.tar") is { Item2: { } archive })
            tar = Append(tar, "archive.tar", Encoding.Latin1.GetBytes(archive));
        BuildRequest request = new() { ContextPath = _host.Spool(tar) };
        Output output = new();
        using Builder builder = Builder.Open(_host, output, TimeProvider.System, change?.Invoke(request) ?? request, Token);
        string id = await builder.RunAsync(Token);
        return (await _host.Store.GetAsync(id, Token), output.Text.ToString());
    }

    private static byte[] Append(byte[] tar, string name, byte[] content)
    {
        using MemoryStream all = new();
        using (System.Formats.Tar.TarWriter writer = new(all, leaveOpen: true))
        {
            using System.Formats.Tar.TarReader reader = new(new MemoryStream(tar));
            while (reader.GetNextEntry(copyData: true) is { } entry)
                writer.WriteEntry(entry);
            writer.WriteEntry(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        }

        return all.ToArray();
    }

    private async Task<string?> ReadAsync(Image image, string path)
    {
        using FileTree files = await _host.Store.OpenFilesAsync(image.Id, Token);
        return files.ReadFile(path, 1000, Token) is { } content ? Encoding.UTF8.GetString(content) : null;
    }

    private async Task<string> StatAsync(Image image, string path)
    {
        using FileTree files = await _host.Store.OpenFilesAsync(image.Id, Token);
        FileNode node = files.Find(path)!;
        return $"{node.Owner.UserId}:{node.Owner.GroupId} {Convert.ToString(node.Mode, 8)}";
    }

    private sealed class Output : IBuildOutput
    {
        public StringBuilder Text { get; } = new();

        public ValueTask WriteAsync(string text, CancellationToken cancellationToken)
        {
            Text.Append(text);
            return ValueTask.CompletedTask;
        }
    }
}
