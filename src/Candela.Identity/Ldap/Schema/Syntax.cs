namespace Candela.Identity.Ldap.Schema;

/// <summary>A syntax of values (RFC 4517, 3.3).</summary>
/// <param name="Oid">Object identifier.</param>
/// <param name="Description">Name for people.</param>
/// <param name="IsValid">A text is a value of it.</param>
internal sealed record Syntax(string Oid, string Description, Func<string, bool> IsValid)
{
    private const string Root = "1.3.6.1.4.1.1466.115.121.1.";

    public static readonly Syntax AttributeTypeDescription = new(Root + "3", "Attribute Type Description", Any);
    public static readonly Syntax Boolean = new(Root + "7", "Boolean", value => value is "TRUE" or "FALSE");
    public static readonly Syntax DirectoryString = new(Root + "15", "Directory String", value => value.Length > 0);
    public static readonly Syntax DistinguishedName = new(Root + "12", "DN", value => NameRule.Canonical(value) is not null);
    public static readonly Syntax GeneralizedTime = new(Root + "24", "Generalized Time", value => Schema.GeneralizedTime.TryParse(value, out _));
    public static readonly Syntax Ia5String = new(Root + "26", "IA5 String", value => value.All(char.IsAscii));
    public static readonly Syntax Integer = new(Root + "27", "INTEGER", value => IntegerRule.IsValid(value));
    public static readonly Syntax MatchingRuleDescription = new(Root + "30", "Matching Rule Description", Any);
    public static readonly Syntax NumericString = new(Root + "36", "Numeric String", value => value.Length > 0 && value.All(c => char.IsAsciiDigit(c) || c == ' '));
    public static readonly Syntax ObjectClassDescription = new(Root + "37", "Object Class Description", Any);
    public static readonly Syntax ObjectIdentifier = new(Root + "38", "OID", value => value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.'));
    public static readonly Syntax OctetString = new(Root + "40", "Octet String", Any);
    public static readonly Syntax PostalAddress = new(Root + "41", "Postal Address", value => value.Length > 0);
    public static readonly Syntax PrintableString = new(
        Root + "44", "Printable String", value => value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || " '()+,-.=/:?".Contains(c, StringComparison.Ordinal)));
    public static readonly Syntax TelephoneNumber = new(Root + "50", "Telephone Number", PrintableString.IsValid);
    public static readonly Syntax LdapSyntaxDescription = new(Root + "54", "LDAP Syntax Description", Any);
    public static readonly Syntax SubstringAssertion = new(Root + "58", "Substring Assertion", Any);
    public static readonly Syntax Uuid = new("1.3.6.1.1.16.1", "UUID", value => Guid.TryParseExact(value, "D", out _));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Syntax> All { get; } =
    [
        AttributeTypeDescription, Boolean, DistinguishedName, DirectoryString, GeneralizedTime, Ia5String, Integer, MatchingRuleDescription, NumericString,
        ObjectClassDescription, ObjectIdentifier, OctetString, PostalAddress, PrintableString, TelephoneNumber, LdapSyntaxDescription, SubstringAssertion, Uuid,
    ];

    /// <inheritdoc/>
    public override string ToString() => $"( {Oid} DESC '{Description}' )";

    private static bool Any(string value) => true;
}
