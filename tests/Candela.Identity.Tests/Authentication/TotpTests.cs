using System.Text;
using Candela.Identity.Authentication;

namespace Candela.Identity.Tests.Authentication;

public sealed class TotpTests
{
    private static readonly byte[] Secret = "12345678901234567890"u8.ToArray();

    // RFC 6238, appendix B, SHA1; the last six of its eight digits.
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Gives_the_codes_of_the_standard(long seconds, string code) =>
        Assert.Equal(code, Totp.Code(Secret, Totp.StepOf(DateTimeOffset.FromUnixTimeSeconds(seconds))));

    [Fact]
    public void Takes_the_codes_beside_the_present_one_but_none_again()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_000_000_015);
        long step = Totp.StepOf(now);
        for (int skew = -3; skew <= 3; skew++)
            Assert.Equal(Math.Abs(skew) <= 1 ? step + skew : null, Totp.Match(Secret, Totp.Code(Secret, step + skew), now, lastStep: 0));
        Assert.Null(Totp.Match(Secret, Totp.Code(Secret, step), now, lastStep: step));
        Assert.Null(Totp.Match(Secret, Totp.Code(Secret, step - 1), now, lastStep: step));
        Assert.Equal(step + 1, Totp.Match(Secret, Totp.Code(Secret, step + 1), now, lastStep: step));
    }

    // RFC 4648, 10.
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Base32_is_that_of_the_standard(string text, string encoded) => Assert.Equal(encoded, Base32.Encode(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void The_address_names_the_account() =>
        Assert.Equal("otpauth://totp/Candela:ada%40acme?secret=MZXW6&issuer=Candela&algorithm=SHA1&digits=6&period=30", Totp.Uri("MZXW6", "ada@acme"));
}
