using Candela.Build.Dockerfiles;
using Candela.Model;

namespace Candela.Build.Tests;

public sealed class SubstitutionTests
{
    private static readonly Dictionary<string, string> Variables = new() { ["a"] = "one", ["empty"] = "", ["path"] = "/usr/lib/x.tar.gz", ["two words"] = "no" };

    [Theory]
    [InlineData("$a", "one")]
    [InlineData("${a}b", "oneb")]
    [InlineData("$ab", "")]
    [InlineData("\\$a", "$a")]
    [InlineData("'$a'", "$a")]
    [InlineData("\"$a b\"", "one b")]
    [InlineData("\"\\$a\"", "$a")]
    [InlineData("x\\ y", "x y")]
    [InlineData("$", "$")]
    [InlineData("a$", "a$")]
    [InlineData("${none:-$a}", "one")]
    [InlineData("${none:-'a b'}", "a b")]
    [InlineData("${empty:-x}", "x")]
    [InlineData("${empty-x}", "")]
    [InlineData("${none-x}", "x")]
    [InlineData("${a:+x}", "x")]
    [InlineData("${empty:+x}", "")]
    [InlineData("${empty+x}", "x")]
    [InlineData("${none+x}", "")]
    [InlineData("${a:?why}", "one")]
    [InlineData("${path#*/}", "usr/lib/x.tar.gz")]
    [InlineData("${path##*/}", "x.tar.gz")]
    [InlineData("${path%.*}", "/usr/lib/x.tar")]
    [InlineData("${path%%.*}", "/usr/lib/x")]
    [InlineData("${path/\\//_}", "_usr/lib/x.tar.gz")]
    [InlineData("${path//\\//_}", "_usr_lib_x.tar.gz")]
    [InlineData("${none:-${a}-${empty:-z}}", "one-z")]
    public void Replaces(string word, string expected) => Assert.Equal(expected, Expand(word));

    [Theory]
    [InlineData("${a", "syntax error|bad substitution")]
    [InlineData("${}", "bad substitution")]
    [InlineData("${none:?is missing}", "none: is missing")]
    [InlineData("${none?}", "none: parameter not set")]
    [InlineData("'open", "single-quote")]
    [InlineData("\"open", "double-quote")]
    [InlineData("${a!b}", "unsupported modifier")]
    public void Refuses(string word, string message)
    {
        CandelaException e = Assert.Throws<CandelaException>(() => Expand(word));
        Assert.Contains(message.Split('|'), one => e.Message.Contains(one, StringComparison.Ordinal));
    }

    [Fact]
    public void Nesting_and_growth_have_limits()
    {
        Assert.Throws<CandelaException>(() => Expand(string.Concat(Enumerable.Repeat("${x:-", 1000)) + new string('}', 1000)));
        Substitution growing = new(static _ => new string('x', 100_000), '\\');
        Assert.Throws<CandelaException>(() => growing.Expand(string.Concat(Enumerable.Repeat("$a", 100))));
    }

    [Fact]
    public void Quotes_mean_nothing_in_a_heredoc() =>
        Assert.Equal("'one' \"one\" $a\n", new Substitution(static name => Variables.GetValueOrDefault(name), '\\').ExpandHeredoc("'$a' \"${a}\" \\$a\n"));

    private static string Expand(string word) => new Substitution(static name => Variables.GetValueOrDefault(name), '\\').Expand(word);
}
