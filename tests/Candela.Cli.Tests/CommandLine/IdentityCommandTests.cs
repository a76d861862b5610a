using Candela.Cli.CommandLine;
using Candela.Cli.Commands;

namespace Candela.Cli.Tests.CommandLine;

public sealed class IdentityCommandTests
{
    /// <summary>Every command for identity is there, explains itself, and completes; those that show something do it for programs, too.</summary>
    [Theory]
    [InlineData("login", false)]
    [InlineData("logout", false)]
    [InlineData("whoami", true)]
    [InlineData("context ls", true)]
    [InlineData("context use", false)]
    [InlineData("context rm", false)]
    [InlineData("user ls", true)]
    [InlineData("user create", false)]
    [InlineData("group ls", true)]
    [InlineData("role ls", true)]
    [InlineData("bind ls", true)]
    [InlineData("bind add", false)]
    [InlineData("client ls", true)]
    [InlineData("client create", true)]
    [InlineData("client inspect", true)]
    [InlineData("cert ls", true)]
    [InlineData("cert request", false)]
    [InlineData("cert docker", false)]
    [InlineData("cert roots", false)]
    [InlineData("cert revoke", false)]
    [InlineData("policy can-i", true)]
    public void A_command_is_there_explains_itself_and_completes(string words, bool isShownAsJson)
    {
        var invocation = Parser.Parse(Root.Create(), [.. words.Split(' '), "--help"]);
        Assert.True(invocation.HelpRequested);
        Assert.NotNull(invocation.Command.Run);
        Assert.StartsWith(invocation.Command.Summary, HelpText.Of(invocation.Command, invocation.Path), StringComparison.Ordinal);
        Assert.Equal(isShownAsJson, invocation.Command.Options.Contains(CommandContext.OutputOption));
        string[] typed = words.Split(' ');
        Assert.Contains(typed[^1], Completion.Candidates(Root.Create(), [.. typed[..^1], ""]));
        Assert.Contains("--help", Completion.Candidates(Root.Create(), [.. typed, "--"]));
    }
}
