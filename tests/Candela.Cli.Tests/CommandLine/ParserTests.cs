using Candela.Cli.CommandLine;
using Candela.Cli.Commands;

namespace Candela.Cli.Tests.CommandLine;

public sealed class ParserTests
{
    private static Invocation Parse(params string[] words) => Parser.Parse(Root.Create(), words);

    [Fact]
    public void Options_after_the_image_belong_to_the_container()
    {
        var invocation = Parse("run", "--rm", "-it", "candela/base", "ls", "--rm", "-l", "--help");
        Assert.Equal(["candela/base", "ls", "--rm", "-l", "--help"], invocation.Arguments);
        Assert.True(invocation.Flag("interactive") && invocation.Flag("tty") && invocation.Flag("rm"));
        Assert.False(invocation.HelpRequested);
    }

    [Theory]
    [InlineData("--env=A=1")]
    [InlineData("--env", "A=1")]
    [InlineData("-e", "A=1")]
    [InlineData("-eA=1")]
    [InlineData("-ie", "A=1")]
    [InlineData("-e=A=1")]
    public void A_value_can_be_written_in_each_of_dockers_ways(params string[] option) =>
        Assert.Equal(["A=1"], Parse(["run", .. option, "image"]).Values("env"));

    [Fact]
    public void A_repeatable_option_keeps_all_values_and_another_the_last()
    {
        var invocation = Parse("run", "-e", "A=1", "--name", "a", "-e", "B=2", "--name", "b", "image");
        Assert.Equal(["A=1", "B=2"], invocation.Values("env"));
        Assert.Equal("b", invocation.Value("name"));
    }

    [Fact]
    public void A_flag_can_be_switched_off() => Assert.False(Parse("run", "--rm=false", "image").Flag("rm"));

    [Fact]
    public void Two_dashes_end_the_options() => Assert.Equal(["-x"], Parse("rm", "--", "-x").Arguments);

    [Fact]
    public void Options_may_follow_arguments_where_these_are_not_the_containers() =>
        Assert.True(Parse("rm", "web", "-f").Flag("force"));

    [Fact]
    public void The_letter_h_is_the_host_name_for_run_and_help_elsewhere()
    {
        Assert.Equal("web", Parse("run", "-h", "web", "image").Value("hostname"));
        Assert.True(Parse("ps", "-h").HelpRequested);
    }

    [Fact]
    public void The_host_can_stand_before_the_command() =>
        Assert.Equal("/tmp/x.sock", Parse("-H", "unix:///tmp/x.sock", "ps").SocketPath());

    [Theory]
    [InlineData("no such command: candela rnu; did you mean 'run'?", "rnu")]
    [InlineData("no such option: --nmae", "run", "--nmae", "x", "image")]
    [InlineData("no such option: -Z", "ps", "-aZ")]
    [InlineData("--name needs a value: NAME", "run", "--name")]
    [InlineData("too few arguments: candela run IMAGE [COMMAND [ARGUMENT...]]", "run")]
    [InlineData("unexpected argument: y", "attach", "x", "y")]
    [InlineData("--rm is true or false, not 'x'", "run", "--rm=x", "image")]
    public void A_wrong_command_line_is_told_what_is_wrong(string message, params string[] words) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => Parse(words)).Message);

    [Fact]
    public void Every_command_has_help_and_unambiguous_options()
    {
        Check(Root.Create(), "candela");

        static void Check(Command command, string path)
        {
            Assert.Contains(path, HelpText.Of(command, path));
            var options = command.Options;
            Assert.Equal(options.Count, options.Select(option => option.Name).Distinct().Count());
            var letters = options.Where(option => option.Letter != '\0').Select(option => option.Letter).ToList();
            Assert.Equal(letters.Count, letters.Distinct().Count());
            Assert.True(command.Run is not null || command.Subcommands.Count > 0);
            foreach (var subcommand in command.Subcommands)
                Check(subcommand, $"{path} {subcommand.Name}");
        }
    }
}
