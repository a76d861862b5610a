using Candela.Guest.Processes.Launch;
using Candela.Guest.Protocol;
using Candela.Guest.Protocol.Host;

namespace Candela.Guest.Tests.Processes;

public class EnvironmentListTests
{
    [Fact]
    public void Adds_what_every_process_has() => Assert.Equal(
        ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=box", "TERM=xterm", "A=1", "HOME=/home/joe", "SPIFFE_ENDPOINT_SOCKET=unix:///dev/candela/workload.sock"],
        Make(tty: true, "A=1"));

    [Fact]
    public void Leaves_what_is_given() => Assert.Equal(
        ["PATH=/x", "HOME=/y", "HOSTNAME=z", "TERM=vt100", "SPIFFE_ENDPOINT_SOCKET=unix:/tmp/s"],
        Make(tty: true, "PATH=/x", "HOME=/y", "HOSTNAME=z", "TERM=vt100", "SPIFFE_ENDPOINT_SOCKET=unix:/tmp/s"));

    [Fact]
    public void Refuses_a_zero_character() =>
        Assert.Equal(AgentError.InvalidArgument, Assert.Throws<AgentFailure>(() => Make(tty: false, "A=\0")).Error);

    [Fact]
    public void Looks_in_the_last_path_that_is_given() =>
        Assert.Equal(["/b/sh", "./sh", "/c/sh"], EnvironmentList.Candidates("sh", ["PATH=/a", "PATH=/b::/c"]));

    [Fact]
    public void Does_not_search_a_name_with_a_slash() => Assert.Equal(["./sh"], EnvironmentList.Candidates("./sh", ["PATH=/a"]));

    [Theory]
    [InlineData((int)LaunchStep.Find, 2, true, AgentError.CommandNotFound, "exec: \"x\": executable file not found in $PATH")]
    [InlineData((int)LaunchStep.Find, 2, false, AgentError.CommandNotFound, "exec: \"x\": stat x: no such file or directory")]
    [InlineData((int)LaunchStep.Find, 21, false, AgentError.CommandNotExecutable, "exec: \"x\": is a directory")]
    [InlineData((int)LaunchStep.Find, 13, false, AgentError.CommandNotExecutable, "exec: \"x\": permission denied")]
    [InlineData((int)LaunchStep.Execute, 8, true, AgentError.CommandNotExecutable, "exec x: exec format error")]
    [InlineData((int)LaunchStep.Execute, 2, true, AgentError.CommandNotFound, "exec x: no such file or directory")]
    [InlineData((int)LaunchStep.WorkingDirectory, 2, true, AgentError.BadWorkingDirectory, "chdir to cwd (\"/w\") set in config.json failed: no such file or directory")]
    public void Tells_failures_in_the_words_of_container_tools(int step, int error, bool searched, AgentError code, string message)
    {
        var failure = LaunchFailure.Of((LaunchStep)step, error, "x", "/w", searched);
        Assert.Equal((code, message), (failure.Error, failure.Message));
    }

    private static List<string> Make(bool tty, params string[] environment) =>
        EnvironmentList.Make(new GuestProcess { Arguments = ["x"], Environment = environment, Tty = tty }, "box", "/home/joe");
}
