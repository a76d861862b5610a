using Candela.Identity.Ldap.Filters;
using Candela.Identity.Ldap.Schema;

namespace Candela.Identity.Tests.Ldap;

/// <summary>Matching rules (RFC 4517, RFC 4518) and the schema (RFC 4512).</summary>
public sealed class RuleTests
{
    [Theory]
    [InlineData("Ada  Lovelace", " ada  lovelace ")]
    [InlineData("  Ada\tLovelace ", " ada  lovelace ")]
    [InlineData("", "  ")]
    [InlineData("   ", "  ")]
    [InlineData("ÀÉÎ", " àéî ")]
    [InlineData("a\u00adb\u200bc\ufeff", " abc ")]
    [InlineData("a\u00a0b\u3000c", " a  b  c ")]
    [InlineData("\U00010400", " \U00010428 ")]
    [InlineData("a\ue000", null)]
    [InlineData("a\ufffd", null)]
    [InlineData("\ud800", null)]
    public void Texts_are_prepared(string text, string? prepared) => Assert.Equal(prepared, MatchingRules.CaseIgnore.Prepare(text));

    [Theory]
    [InlineData(TextPlace.Initial, " a b ", " a  b ")]
    [InlineData(TextPlace.Initial, "a", " a")]
    [InlineData(TextPlace.Any, " a ", " a ")]
    [InlineData(TextPlace.Any, "a", "a")]
    [InlineData(TextPlace.Any, "  ", " ")]
    [InlineData(TextPlace.Final, " a", " a ")]
    [InlineData(TextPlace.Final, "a", "a ")]
    internal void Parts_of_texts_keep_their_outer_spaces(TextPlace place, string text, string prepared) =>
        Assert.Equal(prepared, MatchingRules.CaseIgnoreSubstrings.Prepare(text, place));

    [Theory]
    [InlineData("20300101120000Z", "203001011200Z", true)]
    [InlineData("2030010112Z", "20300101130000+01", true)]
    [InlineData("20300101120000.5Z", "203001011200.00833333Z", false)]
    [InlineData("20300101120000.50Z", "20300101120000,5Z", true)]
    [InlineData("20301231235960Z", "20310101000000Z", true)]
    [InlineData("20300101120000-0130", "20300101133000Z", true)]
    public void Times_are_compared_in_utc(string one, string other, bool areEqual) =>
        Assert.Equal(areEqual, MatchingRules.GeneralizedTime.Prepare(one)! == MatchingRules.GeneralizedTime.Prepare(other)!);

    [Theory]
    [InlineData("")]
    [InlineData("20300101120000")]
    [InlineData("20301301120000Z")]
    [InlineData("2030010112000Z")]
    [InlineData("20300101120000.Z")]
    [InlineData("20300101120000+2500")]
    [InlineData("20300101120000+1")]
    [InlineData("00010101000000+01")]
    [InlineData("２0300101120000Z")]
    public void What_is_no_time_is_none(string text) => Assert.Null(MatchingRules.GeneralizedTime.Prepare(text));

    [Fact]
    public void Numbers_are_ordered_by_value()
    {
        string[] numbers = ["-100", "-11", "-2", "0", "3", "20", "100", "123456789012345678901234567890"];
        Assert.Equal(numbers, numbers.Reverse().Order(Comparer<string>.Create((one, other) => MatchingRules.IntegerOrdering.Compare(one, other))));
        foreach (var bad in new[] { "", "-", "01", "-0", "1 ", "1e3", "٣" })
            Assert.Null(MatchingRules.Integer.Prepare(bad));
    }

    [Theory]
    [InlineData("Robert", "R163")]
    [InlineData("Rupert", "R163")]
    [InlineData("Ashcraft", "A261")]
    [InlineData("Tymczak", "T522")]
    [InlineData("Pfister", "P236")]
    [InlineData("Honeyman", "H555")]
    [InlineData("A", "A000")]
    [InlineData("42nd", "42ND")]
    public void Words_sound_alike(string word, string code) => Assert.Equal(code, Assert.Single(Soundex.Codes(word)));

    [Fact]
    public void The_schema_is_whole()
    {
        var names = LdapSchema.AttributeTypeList.SelectMany(type => type.Names.Append(type.Oid)).Concat(LdapSchema.ObjectClassList.SelectMany(type => new[] { type.Name, type.Oid })).ToArray();
        Assert.Equal(names.Length, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        foreach (var type in LdapSchema.AttributeTypeList)
        {
            Assert.Contains(type.Syntax, Syntax.All);
            foreach (var rule in new[] { type.Equality, type.Ordering, type.Substrings }.OfType<MatchingRule>())
                Assert.Contains(rule, MatchingRules.All);
            Assert.True(type.Equality is null || type.Equality.Use == MatchingUse.Equality);
            Assert.True(type.Ordering is null || type.Ordering.Use == MatchingUse.Ordering);
            Assert.True(type.Substrings is null || type.Substrings.Use == MatchingUse.Substrings);
        }

        foreach (var type in LdapSchema.ObjectClassList)
            Assert.All(type.Must.Concat(type.May), attribute => Assert.Same(attribute, LdapSchema.FindAttribute(attribute.Name)));
    }
}
