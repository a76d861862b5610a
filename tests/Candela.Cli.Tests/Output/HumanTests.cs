using Candela.Cli.Output;

namespace Candela.Cli.Tests.Output;

public sealed class HumanTests
{
    [Theory]
    [InlineData(0, "0B")]
    [InlineData(999, "999B")]
    [InlineData(4_260_000, "4.26MB")]
    [InlineData(124_000_000, "124MB")]
    public void Sizes_have_three_digits(long bytes, string text) => Assert.Equal(text, Human.Size(bytes));

    [Fact]
    public void Memory_has_binary_units() => Assert.Equal("16.4MiB", Human.Memory(17_196_646));

    [Theory]
    [InlineData(0.5, "Less than a second")]
    [InlineData(59, "59 seconds")]
    [InlineData(60, "About a minute")]
    [InlineData(7199, "About an hour")]
    [InlineData(86400 * 3, "3 days")]
    public void Durations_are_in_the_largest_unit(double seconds, string text) => Assert.Equal(text, Human.Duration(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Columns_are_as_wide_as_their_widest_cell()
    {
        var table = new Table("ID", "NAME");
        table.Add("12345", "x");
        Assert.Equal("ID      NAME\n12345   x\n", table.ToString());
    }
}
