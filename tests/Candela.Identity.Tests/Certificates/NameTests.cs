using System.Net;
using Candela.Identity.Certificates.Names;
using Candela.Identity.Certificates.Profiles;
using Candela.Identity.Tests.Tools;
using Candela.Identity.Workloads;
using Candela.Model;

namespace Candela.Identity.Tests.Certificates;

/// <summary>Names that deceive do not get into certificates.</summary>
public sealed class NameTests
{
    private static CertificateProfile Server => CertificateProfile.BuiltIn[CertificateProfile.Server];

    [Theory]
    [InlineData("www.example.org", "www.example.org")]
    [InlineData("WWW.Example.ORG", "www.example.org")]
    [InlineData("web", "web")]
    [InlineData("*.example.org", "*.example.org")]
    [InlineData("1.example.org", "1.example.org")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")] // bücher
    [InlineData("xn--wgv71a119e.example", "xn--wgv71a119e.example")] // 日本語
    [InlineData("xn--e1afmkfd.example", "xn--e1afmkfd.example")] // пример
    public void Honest_names_pass(string name, string expected) => Assert.Equal(expected, DnsNames.Check(name, allowWildcard: true));

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a..b")]
    [InlineData(".example.org")]
    [InlineData("example.org.")]
    [InlineData("-a.example")]
    [InlineData("a-.example")]
    [InlineData("bank.example\0.evil.example")]
    [InlineData("bank.example .evil.example")]
    [InlineData("bank.example\n")]
    [InlineData("a_b.example")]
    [InlineData("bücher.example")]
    [InlineData("аpple.example")] // Cyrillic а
    [InlineData("*")]
    [InlineData("*.org")]
    [InlineData("a.*.org")]
    [InlineData("w*.example.org")]
    [InlineData("*.*.org")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("0x7f.1")]
    [InlineData("0x7f.0x1")]
    [InlineData("2130706433")]
    [InlineData("1.2.3")]
    [InlineData("user@example.org")]
    [InlineData("http://example.org")]
    [InlineData("example.org:443")]
    [InlineData("xn--")]
    [InlineData("xn--a.example")]
    [InlineData("xn--zzzzzzzzzzzz.example")]
    [InlineData("xn--a-ecp.ru--x.example")]
    [InlineData("ab--cd.example")]
    [InlineData("xn--pple-43d.com")] // аpple: Cyrillic and Latin
    [InlineData("xn--80ak6aa92e.com")] // аррӏе: all look-alikes
    [InlineData("xn--example-6q4c.com")] // with an invisible character
    [InlineData("xn--abc-.example")] // ASCII in disguise
    [InlineData("xn--n3h.example")] // a snowman
    public void Deceptive_names_are_refused(string name)
    {
        var refused = Assert.Throws<CandelaException>(() => DnsNames.Check(name, allowWildcard: true));
        Assert.Equal(ErrorCode.InvalidArgument, refused.Code);
        Assert.DoesNotContain('\0', refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void Over_long_names_are_refused()
    {
        var label = new string('a', 63);
        Assert.Equal(253, DnsNames.Check($"{label}.{label}.{label}.{label[..61]}", allowWildcard: false).Length);
        Assert.Throws<CandelaException>(() => DnsNames.Check($"{label}a.example", allowWildcard: false));
        Assert.Throws<CandelaException>(() => DnsNames.Check($"{label}.{label}.{label}.{label[..62]}", allowWildcard: false));
        Assert.Throws<CandelaException>(() => DnsNames.Check(new string('a', 1_000_000), allowWildcard: false));
    }

    [Theory]
    [InlineData("xn--bcher-kva", "bücher")]
    [InlineData("xn--maana-pta", "mañana")]
    [InlineData("xn--wgv71a119e", "日本語")]
    [InlineData("xn--e1afmkfd", "пример")]
    [InlineData("xn--BCHER-KVA", null)]
    [InlineData("xn--bcher-kva9", null)]
    [InlineData("xn--99999999", null)]
    public void Punycode_has_one_form(string label, string? text) => Assert.Equal(text, Punycode.TryDecode(label[4..]));

    [Fact]
    public void Punycode_takes_anything_without_harm()
    {
        var mutator = new Mutator(5);
        byte[][] seeds = ["bcher-kva"u8.ToArray(), "wgv71a119e"u8.ToArray(), "80ak6aa92e"u8.ToArray(), "a-b-c-99999zzzzz"u8.ToArray()];
        for (var i = 0; i < Mutator.Count; i++)
        {
            var label = System.Text.Encoding.Latin1.GetString(mutator.Next(seeds));
            if (Punycode.TryDecode(label) is { } text)
                Assert.InRange(text.Length, 1, 126);
        }
    }

    [Fact]
    public void A_common_name_must_be_one_of_the_names()
    {
        var names = new CertificateNames { Dns = ["a.example"] };
        Assert.Equal("a.example", ProfileCheck.CommonName(Server, names, null));
        Assert.Equal("a.example", ProfileCheck.CommonName(Server, names, "A.example"));
        Assert.Throws<CandelaException>(() => ProfileCheck.CommonName(Server, names, "bank.example"));
        Assert.Throws<CandelaException>(() => ProfileCheck.CommonName(Server, names, "a.example\0"));
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("ff02::1")]
    [InlineData("::ffff:10.0.0.1")]
    public void Addresses_of_no_one_host_are_refused(string address) =>
        Assert.Throws<CandelaException>(() => ProfileCheck.Names(Server, "example.org", new CertificateNames { Addresses = [IPAddress.Parse(address)] }));

    [Fact]
    public void A_profile_has_only_its_kinds_of_names()
    {
        Assert.Throws<CandelaException>(() => ProfileCheck.Names(Server, "example.org", CertificateNames.None));
        Assert.Throws<CandelaException>(() => ProfileCheck.Names(Server, "example.org", new CertificateNames { Dns = ["a.example"], Uris = ["spiffe://example.org/a/b/c"] }));
        Assert.Throws<CandelaException>(() => ProfileCheck.Names(Server, "example.org", new CertificateNames { Mail = ["a@b.example"] }));
        Assert.Throws<CandelaException>(() => ProfileCheck.Names(Server, "example.org", new CertificateNames { Dns = ["a.example", "A.EXAMPLE"] }));
        Assert.Throws<CandelaException>(() => ProfileCheck.Names(Server, "example.org", new CertificateNames { Dns = [.. Enumerable.Range(0, 101).Select(i => $"n{i}.example")] }));
        var narrow = Server with { Limits = Server.Limits with { Domains = ["shop.example"], AllowWildcards = false } };
        ProfileCheck.Names(narrow, "example.org", new CertificateNames { Dns = ["shop.example", "a.shop.example"] });
        Assert.Throws<CandelaException>(() => ProfileCheck.Names(narrow, "example.org", new CertificateNames { Dns = ["workshop.example"] }));
        Assert.Throws<CandelaException>(() => ProfileCheck.Names(narrow, "example.org", new CertificateNames { Dns = ["*.shop.example"] }));
        Assert.Throws<CandelaException>(() => ProfileCheck.Lifetime(Server, TimeSpan.FromDays(91)));
        Assert.Throws<CandelaException>(() => ProfileCheck.Lifetime(Server, TimeSpan.Zero));
    }

    [Theory]
    [InlineData("spiffe://example.org/a/b/c", true)]
    [InlineData("spiffe://example.org", true)]
    [InlineData("spiffe://example.org/", false)]
    [InlineData("spiffe://example.org/a/", false)]
    [InlineData("spiffe://example.org//a", false)]
    [InlineData("spiffe://example.org/a/../b", false)]
    [InlineData("spiffe://example.org/./a", false)]
    [InlineData("spiffe://example.org/a%2fb", false)]
    [InlineData("spiffe://example.org/a?b", false)]
    [InlineData("spiffe://example.org/a#b", false)]
    [InlineData("spiffe://example.org:443/a", false)]
    [InlineData("spiffe://user@example.org/a", false)]
    [InlineData("spiffe://Example.org/a", false)]
    [InlineData("SPIFFE://example.org/a", false)]
    [InlineData("spiffe:///a", false)]
    [InlineData("spiffe://", false)]
    [InlineData("https://example.org/a", false)]
    [InlineData("spiffe://example.org/ä", false)]
    [InlineData("spiffe://example.org/a\0", false)]
    public void A_spiffe_id_has_one_spelling(string text, bool valid) => Assert.Equal(valid, SpiffeId.TryParse(text, out _));

    [Theory]
    [InlineData("a/b", "p", "n")]
    [InlineData("..", "p", "n")]
    [InlineData("", "p", "n")]
    [InlineData("t", "p", "n/m")]
    [InlineData("t", "p", "n m")]
    public void A_name_with_a_slash_does_not_make_another_identity(string tenant, string project, string name) =>
        Assert.Throws<CandelaException>(() => SpiffeId.OfContainer("example.org", tenant, project, name));
}
