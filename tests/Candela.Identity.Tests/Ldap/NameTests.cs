using Candela.Identity.Ldap;
using Candela.Identity.Ldap.Names;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Tests.Tools;

namespace Candela.Identity.Tests.Ldap;

/// <summary>Distinguished names (RFC 4514).</summary>
public sealed class NameTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("uid=ada,ou=people,dc=system", "uid=ada;ou=people;dc=system")]
    [InlineData("  uid = ada , ou=people,  dc=system ", "uid=ada;ou=people;dc=system")]
    [InlineData("OU=Sales+CN=J.  Smith,DC=example,DC=net", "OU=Sales&CN=J.  Smith;DC=example;DC=net")]
    [InlineData("CN=James \\\"Jim\\\" Smith\\, III,DC=example", "CN=James \"Jim\" Smith, III;DC=example")]
    [InlineData("CN=Before\\0dAfter", "CN=Before\rAfter")]
    [InlineData("1.3.6.1.4.1.1466.0=#04024869", "1.3.6.1.4.1.1466.0=Hi")]
    [InlineData("CN=Lu\\C4\\8Di\\C4\\87", "CN=Lučić")]
    [InlineData("CN=Lučić", "CN=Lučić")]
    [InlineData("cn=\\ a\\ ", "cn= a ")]
    [InlineData("cn=a \\  ", "cn=a  ")]
    [InlineData("cn=\\#x", "cn=#x")]
    [InlineData("cn=a=b", "cn=a=b")]
    [InlineData("cn=", "cn=")]
    [InlineData("cn=\\e2\\82\\ac\\2c", "cn=€,")]
    public void Names_are_read_and_written(string text, string parts)
    {
        var name = DistinguishedName.Parse(text);
        Assert.Equal(parts, string.Join(';', name.RelativeNames.Select(relative => string.Join('&', relative.Select(part => $"{part.Type}={part.Value}")))));
        var written = string.Join(',', name.RelativeNames.Select(relative => string.Join('+', relative.Select(part => $"{part.Type}={DistinguishedName.Escape(part.Value)}"))));
        Assert.Equal(NameRule.Canonical(text), NameRule.Canonical(written));
    }

    [Theory]
    [InlineData("ada")]
    [InlineData("=ada")]
    [InlineData("uid=ada,")]
    [InlineData(",uid=ada")]
    [InlineData("uid=ada,,dc=x")]
    [InlineData("uid=ada+")]
    [InlineData("u id=ada")]
    [InlineData("-uid=ada")]
    [InlineData("1..2=ada")]
    [InlineData("1.2.=ada")]
    [InlineData("uid=a\"b")]
    [InlineData("uid=a;b")]
    [InlineData("uid=a<b")]
    [InlineData("uid=a\0b")]
    [InlineData("uid=a\\")]
    [InlineData("uid=a\\x")]
    [InlineData("uid=a\\4")]
    [InlineData("uid=\\ff")]
    [InlineData("uid=\\c3,dc=x")]
    [InlineData("uid=#0")]
    [InlineData("uid=#xy")]
    [InlineData("uid=#04ff")]
    [InlineData("uid=#0402486900")]
    [InlineData("uid=#3000")]
    public void What_is_no_name_is_refused(string text) => Assert.Throws<NameSyntaxException>(() => DistinguishedName.Parse(text));

    [Fact]
    public void Names_are_bounded()
    {
        DistinguishedName.Parse(string.Join(',', Enumerable.Repeat("ou=x", LdapLimits.NameDepth)));
        Assert.Throws<NameSyntaxException>(() => DistinguishedName.Parse(string.Join(',', Enumerable.Repeat("ou=x", LdapLimits.NameDepth + 1))));
        DistinguishedName.Parse(string.Join('+', Enumerable.Repeat("ou=x", LdapLimits.NameAttributeCount)));
        Assert.Throws<NameSyntaxException>(() => DistinguishedName.Parse(string.Join('+', Enumerable.Repeat("ou=x", LdapLimits.NameAttributeCount + 1))));
    }

    [Theory]
    [InlineData("UID=Ada,OU=People,DC=SYSTEM", "uid=ada, ou=people,dc=system", true)]
    [InlineData("cn=a+ou=b", "OU=B+CN=A", true)]
    [InlineData("commonName=a", "2.5.4.3=a", true)]
    [InlineData("cn=a  b", "cn=A B", true)]
    [InlineData("cn=a", "cn=b", false)]
    [InlineData("cn=a,cn=b", "cn=b,cn=a", false)]
    [InlineData("cn=a\\,b", "cn=a,cn=b", false)]
    public void Names_are_compared_attribute_by_attribute(string one, string other, bool areEqual) => Assert.Equal(areEqual, NameRule.Canonical(one) == NameRule.Canonical(other));

    [Fact]
    public void Mangled_names_are_read_or_refused()
    {
        byte[][] seeds = [.. new[] { "uid=ada,ou=people,dc=system", "cn=a\\,b+ou=\\c3\\a9,dc=#0403616461", "1.2.3=\\#x\\ ,cn=Lučić" }.Select(System.Text.Encoding.UTF8.GetBytes)];
        var mutator = new Mutator(3);
        for (int i = 0; i < Mutator.Count; i++)
        {
            var text = System.Text.Encoding.UTF8.GetString(mutator.Next(seeds));
            try
            {
                var name = DistinguishedName.Parse(text);
                foreach (var part in name.RelativeNames.SelectMany(relative => relative))
                    Assert.Equal(part.Value, Assert.Single(Assert.Single(DistinguishedName.Parse($"cn={DistinguishedName.Escape(part.Value)}").RelativeNames)).Value);
            }
            catch (NameSyntaxException)
            {
                // Refused.
            }
        }
    }
}
