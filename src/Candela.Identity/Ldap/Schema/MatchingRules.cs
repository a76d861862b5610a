using System.Collections.Frozen;

namespace Candela.Identity.Ldap.Schema;

/// <summary>The matching rules (RFC 4517, 4.2; RFC 4530, 2.2 to 2.3).</summary>
internal static class MatchingRules
{
    public static readonly MatchingRule ObjectIdentifier = new OidRule { Oid = "2.5.13.0", Name = "objectIdentifierMatch", Syntax = Syntax.ObjectIdentifier, Use = MatchingUse.Equality };
    public static readonly MatchingRule DistinguishedName = new NameRule { Oid = "2.5.13.1", Name = "distinguishedNameMatch", Syntax = Syntax.DistinguishedName, Use = MatchingUse.Equality };

    public static readonly MatchingRule CaseIgnore = Text("2.5.13.2", "caseIgnoreMatch", Syntax.DirectoryString, foldCase: true);
    public static readonly MatchingRule CaseIgnoreOrdering = Text("2.5.13.3", "caseIgnoreOrderingMatch", Syntax.DirectoryString, foldCase: true, MatchingUse.Ordering);
    public static readonly MatchingRule CaseIgnoreSubstrings = Text("2.5.13.4", "caseIgnoreSubstringsMatch", Syntax.SubstringAssertion, foldCase: true, MatchingUse.Substrings);
    public static readonly MatchingRule CaseExact = Text("2.5.13.5", "caseExactMatch", Syntax.DirectoryString, foldCase: false);
    public static readonly MatchingRule CaseExactOrdering = Text("2.5.13.6", "caseExactOrderingMatch", Syntax.DirectoryString, foldCase: false, MatchingUse.Ordering);
    public static readonly MatchingRule CaseExactSubstrings = Text("2.5.13.7", "caseExactSubstringsMatch", Syntax.SubstringAssertion, foldCase: false, MatchingUse.Substrings);
    public static readonly MatchingRule CaseExactIa5 = Text("1.3.6.1.4.1.1466.109.114.1", "caseExactIA5Match", Syntax.Ia5String, foldCase: false);
    public static readonly MatchingRule CaseIgnoreIa5 = Text("1.3.6.1.4.1.1466.109.114.2", "caseIgnoreIA5Match", Syntax.Ia5String, foldCase: true);
    public static readonly MatchingRule CaseIgnoreIa5Substrings =
        Text("1.3.6.1.4.1.1466.109.114.3", "caseIgnoreIA5SubstringsMatch", Syntax.SubstringAssertion, foldCase: true, MatchingUse.Substrings);

    public static readonly MatchingRule NumericString = Without("2.5.13.8", "numericStringMatch", Syntax.NumericString, " ");
    public static readonly MatchingRule NumericStringOrdering = Without("2.5.13.9", "numericStringOrderingMatch", Syntax.NumericString, " ", MatchingUse.Ordering);
    public static readonly MatchingRule NumericStringSubstrings = Without("2.5.13.10", "numericStringSubstringsMatch", Syntax.SubstringAssertion, " ", MatchingUse.Substrings);
    public static readonly MatchingRule TelephoneNumber = Without("2.5.13.20", "telephoneNumberMatch", Syntax.TelephoneNumber, " -");
    public static readonly MatchingRule TelephoneNumberSubstrings = Without("2.5.13.21", "telephoneNumberSubstringsMatch", Syntax.SubstringAssertion, " -", MatchingUse.Substrings);

    public static readonly MatchingRule CaseIgnoreList = Text("2.5.13.11", "caseIgnoreListMatch", Syntax.PostalAddress, foldCase: true);
    public static readonly MatchingRule CaseIgnoreListSubstrings = Text("2.5.13.12", "caseIgnoreListSubstringsMatch", Syntax.SubstringAssertion, foldCase: true, MatchingUse.Substrings);
    public static readonly MatchingRule Boolean = new OctetRule { Oid = "2.5.13.13", Name = "booleanMatch", Syntax = Syntax.Boolean, Use = MatchingUse.Equality };
    public static readonly MatchingRule Integer = new IntegerRule { Oid = "2.5.13.14", Name = "integerMatch", Syntax = Syntax.Integer, Use = MatchingUse.Equality };
    public static readonly MatchingRule IntegerOrdering = new IntegerRule { Oid = "2.5.13.15", Name = "integerOrderingMatch", Syntax = Syntax.Integer, Use = MatchingUse.Ordering };
    public static readonly MatchingRule OctetString = new OctetRule { Oid = "2.5.13.17", Name = "octetStringMatch", Syntax = Syntax.OctetString, Use = MatchingUse.Equality };
    public static readonly MatchingRule GeneralizedTime = new TimeRule { Oid = "2.5.13.27", Name = "generalizedTimeMatch", Syntax = Syntax.GeneralizedTime, Use = MatchingUse.Equality };
    public static readonly MatchingRule GeneralizedTimeOrdering =
        new TimeRule { Oid = "2.5.13.28", Name = "generalizedTimeOrderingMatch", Syntax = Syntax.GeneralizedTime, Use = MatchingUse.Ordering };
    public static readonly MatchingRule ObjectIdentifierFirstComponent =
        new FirstComponentRule { Oid = "2.5.13.30", Name = "objectIdentifierFirstComponentMatch", Syntax = Syntax.ObjectIdentifier, Use = MatchingUse.Equality };
    public static readonly MatchingRule Uuid = new UuidRule { Oid = "1.3.6.1.1.16.2", Name = "uuidMatch", Syntax = Syntax.Uuid, Use = MatchingUse.Equality };
    public static readonly MatchingRule UuidOrdering = new UuidRule { Oid = "1.3.6.1.1.16.3", Name = "uuidOrderingMatch", Syntax = Syntax.Uuid, Use = MatchingUse.Ordering };

    /// <summary>Membership through groups of groups, as Microsoft's servers have it ([MS-ADTS], 3.1.1.3.4.4.3).</summary>
    public static readonly MatchingRule InChain =
        new NameRule { Oid = "1.2.840.113556.1.4.1941", Name = "distinguishedNameMatchInChain", Syntax = Syntax.DistinguishedName, Use = MatchingUse.Equality };

    private static readonly FrozenDictionary<string, MatchingRule> ByName;

    static MatchingRules()
    {
        All =
        [
            ObjectIdentifier, DistinguishedName, CaseIgnore, CaseIgnoreOrdering, CaseIgnoreSubstrings, CaseExact, CaseExactOrdering, CaseExactSubstrings, CaseExactIa5, CaseIgnoreIa5,
            CaseIgnoreIa5Substrings, NumericString, NumericStringOrdering, NumericStringSubstrings, TelephoneNumber, TelephoneNumberSubstrings, CaseIgnoreList, CaseIgnoreListSubstrings,
            Boolean, Integer, IntegerOrdering, OctetString, GeneralizedTime, GeneralizedTimeOrdering, ObjectIdentifierFirstComponent, Uuid, UuidOrdering, InChain,
        ];
        ByName = All.SelectMany(rule => new[] { (rule.Name, rule), (rule.Oid, rule) }).ToFrozenDictionary(pair => pair.Item1, pair => pair.rule, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>All of them.</summary>
    public static IReadOnlyList<MatchingRule> All { get; }

    /// <summary>One by name or object identifier.</summary>
    public static MatchingRule? Find(string name) => ByName.GetValueOrDefault(name);

    private static TextRule Text(string oid, string name, Syntax syntax, bool foldCase, MatchingUse use = MatchingUse.Equality) =>
        new(foldCase) { Oid = oid, Name = name, Syntax = syntax, Use = use };

    private static WithoutRule Without(string oid, string name, Syntax syntax, string ignored, MatchingUse use = MatchingUse.Equality) =>
        new(ignored) { Oid = oid, Name = name, Syntax = syntax, Use = use };
}
