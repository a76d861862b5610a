using Candela.Build.Contexts;

namespace Candela.Build.Tests;

public sealed class IgnoreFileTests
{
    [Theory]
    [InlineData("*.log", "a.log", true)]
    [InlineData("*.log", "d/a.log", false)]
    [InlineData("**/*.log", "d/e/a.log", true)]
    [InlineData("**/*.log", "a.log", true)]
    [InlineData("/d", "d/e/f", true)]
    [InlineData("d/*", "d", false)]
    [InlineData("d/**", "d/e/f", true)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "a/c", false)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[^a-c]x", "bx", false)]
    [InlineData("./d/../e", "e", true)]
    [InlineData("# d", "d", false)]
    [InlineData("*\n!keep", "keep", false)]
    [InlineData("*\n!keep\nkeep", "keep", true)]
    [InlineData("d\n!d/keep", "d/keep", false)]
    [InlineData("d\n!d/keep", "d/other", true)]
    [InlineData(".dotted", ".dotted", true)]
    public void The_last_pattern_that_matches_decides(string file, string path, bool excluded) =>
        Assert.Equal(excluded, IgnoreFile.Parse(file).Excludes(path));

    [Fact]
    public void Any_text_is_taken()
    {
        Random random = new(7);
        for (int i = 0; i < 2000; i++)
            IgnoreFile.Parse(string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => "*?[]!\\/.#ab-^\n"[random.Next(14)]))).Excludes("a/b");
    }
}
