using Candela.Cli.Containers;

namespace Candela.Cli.Tests.Containers;

public sealed class TimesTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("90s", "2026-01-31T11:58:30Z")]
    [InlineData("1h30m", "2026-01-31T10:30:00Z")]
    [InlineData("500ms", "2026-01-31T11:59:59.5Z")]
    [InlineData("1769860800", "2026-01-31T12:00:00Z")]
    [InlineData("2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00Z")]
    public void Ages_seconds_and_dates_are_understood(string text, string time) =>
        Assert.Equal(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture), Times.Parse(text, Now));

    [Theory]
    [InlineData("yesterday")]
    [InlineData("10x")]
    [InlineData("")]
    [InlineData("h")]
    public void Other_text_is_refused(string text) => Assert.Null(Times.Parse(text, Now));
}
