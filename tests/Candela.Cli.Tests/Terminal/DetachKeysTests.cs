using System.Text;
using Candela.Cli.CommandLine;
using Candela.Cli.Terminal;

namespace Candela.Cli.Tests.Terminal;

public sealed class DetachKeysTests
{
    private static (string Text, bool Detach) Type(DetachKeys keys, string typed)
    {
        byte[] output = new byte[typed.Length + keys.Length];
        var (count, detach) = keys.Filter(Encoding.Latin1.GetBytes(typed), output);
        return (Encoding.Latin1.GetString(output, 0, count), detach);
    }

    [Fact]
    public void The_sequence_detaches_also_when_typed_key_by_key()
    {
        var keys = DetachKeys.Parse(DetachKeys.Default);
        Assert.Equal(("ab", false), Type(keys, "ab\x10"));
        Assert.Equal(("", true), Type(keys, "\x11"));
    }

    [Fact]
    public void An_unfinished_sequence_reaches_the_container()
    {
        var keys = DetachKeys.Parse(DetachKeys.Default);
        Assert.Equal(("", false), Type(keys, "\x10"));
        Assert.Equal(("\x10x", false), Type(keys, "x"));
        Assert.Equal(("\x10", false), Type(keys, "\x10\x10"));
        Assert.Equal(("", true), Type(keys, "\x11"));
    }

    [Fact]
    public void The_notation_is_dockers()
    {
        Assert.Equal(("x", true), Type(DetachKeys.Parse("ctrl-@,q"), "x\0q"));
        Assert.Throws<UsageException>(() => DetachKeys.Parse("alt-x"));
    }
}
