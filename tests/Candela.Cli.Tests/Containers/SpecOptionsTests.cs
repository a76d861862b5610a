using Candela.Cli.CommandLine;
using Candela.Cli.Commands;
using Candela.Cli.Containers;
using Candela.Model;

namespace Candela.Cli.Tests.Containers;

public sealed class SpecOptionsTests
{
    private static ContainerSpec Spec(params string[] words) => SpecOptions.ToSpec(Parser.Parse(Root.Create(), ["run", .. words]));

    [Theory]
    [InlineData("512", 512)]
    [InlineData("64k", 64 * 1024)]
    [InlineData("512m", 512L << 20)]
    [InlineData("512MB", 512L << 20)]
    [InlineData("1.5GiB", 3L << 29)]
    [InlineData("1t", 1L << 40)]
    public void Sizes_are_read_as_docker_reads_them(string text, long bytes) => Assert.Equal(bytes, SpecOptions.ParseSize("memory", text));

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("-1m")]
    [InlineData("1x")]
    [InlineData("9999999999999999999p")]
    public void A_size_that_is_none_is_refused(string text) => Assert.Throws<UsageException>(() => SpecOptions.ParseSize("memory", text));

    [Fact]
    public void Options_become_the_container_that_they_describe()
    {
        var spec = Spec("-it", "--rm", "-m", "1g", "--cpus", "1.5", "-e", "A=1", "-w", "/srv", "-u", "1000:100", "--hostname", "web",
            "--label", "tier=front", "--label", "bare", "--read-only", "--tmpfs", "/run:size=1m", "--tmpfs", "/tmp",
            "--ulimit", "nofile=10:20", "--ulimit", "core=-1", "--entrypoint", "", "--restart", "on-failure:3", "image:1", "sh", "-c", "true");
        Assert.Equal("image:1", spec.Image);
        Assert.Equal(["sh", "-c", "true"], spec.Command);
        Assert.Empty(spec.Entrypoint!);
        Assert.True(spec.Tty && spec.OpenStdin && spec.StdinOnce && spec.AutoRemove && spec.ReadOnlyRootfs);
        Assert.Equal((1L << 30, 1_500_000_000), (spec.MemoryBytes, spec.NanoCpus));
        Assert.Equal(["A=1"], spec.Environment);
        Assert.Equal(("/srv", "1000:100", "web"), (spec.WorkingDirectory, spec.User, spec.Hostname));
        Assert.Equal(new Dictionary<string, string> { ["tier"] = "front", ["bare"] = "" }, spec.Labels);
        Assert.Equal(new Dictionary<string, string> { ["/run"] = "size=1m", ["/tmp"] = "" }, spec.Tmpfs);
        Assert.Equal([new Ulimit("nofile", 10, 20), new Ulimit("core", -1, -1)], spec.Ulimits);
        Assert.Equal(new RestartPolicy { Condition = RestartCondition.OnFailure, MaximumRetryCount = 3 }, spec.RestartPolicy);
    }

    [Fact]
    public void Without_a_command_the_images_own_is_taken()
    {
        var spec = Spec("image");
        Assert.Null(spec.Command);
        Assert.Null(spec.Entrypoint);
    }

    [Fact]
    public void A_name_alone_takes_this_environments_value_or_removes_the_variable()
    {
        Environment.SetEnvironmentVariable("CANDELA_TEST_GIVEN", "here");
        Assert.Equal(["CANDELA_TEST_GIVEN=here", "CANDELA_TEST_ABSENT"], Spec("-e", "CANDELA_TEST_GIVEN", "-e", "CANDELA_TEST_ABSENT", "image").Environment);
    }

    [Fact]
    public void An_environment_file_is_read_without_comments_and_before_the_options()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "# comment\nA=1 = 2\n\n  B=x\nCANDELA_TEST_ABSENT\n");
            Assert.Equal(["A=1 = 2", "B=x", "C=3"], Spec("-e", "C=3", "--env-file", file, "image").Environment);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_network_is_named_or_follows_from_what_is_published()
    {
        Assert.Equal("none", Spec("image").NetworkMode);
        Assert.Equal("front", Spec("--network", "front", "-p", "80", "image").NetworkMode);
        ContainerSpec spec = Spec("-p", "80", "-p", "8080:80/udp", "-p", "127.0.0.1:81:80", "-p", "127.0.0.1::82", "-p", "[::1]:83:80/sctp", "image");
        Assert.Equal("bridge", spec.NetworkMode);
        Assert.Equal(
            [
                new PortPublication("tcp", 80, null, 0), new PortPublication("udp", 80, null, 8080), new PortPublication("tcp", 80, "127.0.0.1", 81),
                new PortPublication("tcp", 82, "127.0.0.1", 0), new PortPublication("sctp", 80, "::1", 83),
            ],
            spec.PublishedPorts);
    }

    [Fact]
    public void Ranges_of_ports_are_published_one_to_one_or_leave_a_choice() => Assert.Equal(
        [
            new PortPublication("tcp", 80, null, 8000, 8010), new PortPublication("tcp", 81, null, 9000), new PortPublication("tcp", 82, null, 9001),
            new PortPublication("udp", 53, "::1", 0), new PortPublication("udp", 54, "::1", 0),
        ],
        Spec("-p", "8000-8010:80", "-p", "9000-9001:81-82", "-p", "[::1]::53-54/udp", "image").PublishedPorts);

    [Theory]
    [InlineData("--cpus", "0")]
    [InlineData("--cpus", "33")]
    [InlineData("--cpus", "x")]
    [InlineData("--ulimit", "nofile")]
    [InlineData("--ulimit", "nofile=x")]
    [InlineData("--restart", "sometimes")]
    [InlineData("--restart", "always:3")]
    [InlineData("--publish", "0")]
    [InlineData("--publish", "http")]
    [InlineData("--publish", "0:80")]
    [InlineData("--publish", "80:65536")]
    [InlineData("--publish", "nowhere:80:80")]
    [InlineData("--publish", "81-80:80")]
    [InlineData("--publish", "80:80-81")]
    [InlineData("--publish", "80-82:80-81")]
    [InlineData("--publish", "80-:80")]
    [InlineData("--publish", "80/icmp")]
    [InlineData("--env-file", "/nonexistent")]
    public void A_value_out_of_range_is_refused(string option, string value) => Assert.Throws<UsageException>(() => Spec(option, value, "image"));
}
