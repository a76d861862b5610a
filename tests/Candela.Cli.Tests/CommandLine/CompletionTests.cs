using Candela.Cli.CommandLine;
using Candela.Cli.Commands;

namespace Candela.Cli.Tests.CommandLine;

public sealed class CompletionTests
{
    private static List<string> Complete(params string[] words) => [.. Completion.Candidates(Root.Create(), words)];

    [Fact]
    public void The_first_word_is_a_command_and_hidden_ones_are_not_offered()
    {
        Assert.Contains("run", Complete("r"));
        Assert.DoesNotContain("__complete", Complete(""));
    }

    [Fact]
    public void Groups_offer_their_commands() => Assert.Equal(["ls", "create", "rm"], Complete("parent", ""));

    [Fact]
    public void A_dash_offers_options() => Assert.Contains("--memory", Complete("run", "--m"));

    [Theory]
    [InlineData("run", "--pull", "")]
    [InlineData("run", "--pull", "=", "")]
    public void A_value_of_few_words_is_offered(params string[] words) => Assert.Equal(["missing", "always", "never"], Complete(words));

    [Fact]
    public void A_file_is_left_to_the_shell() => Assert.Equal([":files"], Complete("load", "-i", ""));

    [Fact]
    public void The_containers_own_options_are_not_completed() => Assert.Empty(Complete("run", "candela/base", "ls", "--"));

    [Fact]
    public void Without_a_daemon_no_names_are_offered() => Assert.Empty(Complete("-H", "unix:///nonexistent/candela.sock", "rm", ""));
}
