using Candela.Cli.CommandLine;
using Candela.Cli.Commands;
using Candela.Cli.Daemon;

namespace Candela.Cli.Tests.Daemon;

public sealed class DaemonSettingsTests
{
    [Fact]
    public void Options_are_handed_on()
    {
        Assert.Equal(["--state", "/var/lib/candela", "--run", "/r"], Settings().CommandLine);
        Assert.Equal(
            ["--state", "/s", "--run", "/r", "--https", "8443", "--host-name", "a", "--host-name", "b"],
            Settings("--host-name", "a", "--https=8443", "--state", "/s", "--host-name", "b").CommandLine);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("--https 8443", null)]
    [InlineData("--state /s", null)]
    [InlineData("--state /other", "with --state /s")]
    [InlineData("--ldap 389", "without --ldap")]
    [InlineData("--host-name a", "with --host-name a --host-name b")]
    [InlineData("--host-name a --host-name b", null)]
    public void A_daemon_that_runs_with_something_else_is_told_apart(string asked, string? difference) => Assert.Equal(
        difference,
        Settings(asked.Split(' ', StringSplitOptions.RemoveEmptyEntries)).DifferenceFrom(["/bin/candelad", "--state", "/s", "--run", "/r", "--https=8443", "--host-name", "a", "--host-name", "b"]));

    private static DaemonSettings Settings(params string[] words) => DaemonSettings.Of(Parser.Parse(Root.Create(), ["up", .. words]), "/r");
}
