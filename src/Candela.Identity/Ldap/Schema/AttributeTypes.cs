using static Candela.Identity.Ldap.Schema.AttributeUsage;

namespace Candela.Identity.Ldap.Schema;

/// <summary>The attribute types that entries of this directory can have.</summary>
internal static class AttributeTypes
{
    // RFC 4512, 4.2 and 5.1; RFC 4530; RFC 5020; draft-howard-rfc2307bis-02 and common practice for memberOf.
    public static readonly AttributeType ObjectClass = new("2.5.4.0", ["objectClass"]) { Syntax = Syntax.ObjectIdentifier, Equality = MatchingRules.ObjectIdentifier };
    public static readonly AttributeType StructuralObjectClass = Operational("2.5.21.9", "structuralObjectClass", Syntax.ObjectIdentifier, MatchingRules.ObjectIdentifier);
    public static readonly AttributeType CreateTimestamp = Operational("2.5.18.1", "createTimestamp", Syntax.GeneralizedTime, MatchingRules.GeneralizedTime, MatchingRules.GeneralizedTimeOrdering);
    public static readonly AttributeType ModifyTimestamp = Operational("2.5.18.2", "modifyTimestamp", Syntax.GeneralizedTime, MatchingRules.GeneralizedTime, MatchingRules.GeneralizedTimeOrdering);
    public static readonly AttributeType SubschemaSubentry = Operational("2.5.18.10", "subschemaSubentry", Syntax.DistinguishedName, MatchingRules.DistinguishedName);
    public static readonly AttributeType HasSubordinates = Operational("2.5.18.9", "hasSubordinates", Syntax.Boolean, MatchingRules.Boolean);
    public static readonly AttributeType EntryUuid = Operational("1.3.6.1.1.16.4", "entryUUID", Syntax.Uuid, MatchingRules.Uuid, MatchingRules.UuidOrdering);
    public static readonly AttributeType EntryDn = Operational("1.3.6.1.1.20", "entryDN", Syntax.DistinguishedName, MatchingRules.DistinguishedName);
    public static readonly AttributeType MemberOf = Operational("1.2.840.113556.1.2.102", "memberOf", Syntax.DistinguishedName, MatchingRules.DistinguishedName, single: false);
    public static readonly AttributeType AccountLockedTime = new("1.3.6.1.4.1.42.2.27.8.1.17", ["pwdAccountLockedTime"])
    {
        Syntax = Syntax.GeneralizedTime, Equality = MatchingRules.GeneralizedTime, Ordering = MatchingRules.GeneralizedTimeOrdering, IsSingleValued = true, Usage = DirectoryOperation,
    };

    // Root DSE and subschema (RFC 4512, 4.2 and 5.1; RFC 3045).
    public static readonly AttributeType NamingContexts = OfServer("1.3.6.1.4.1.1466.101.120.5", "namingContexts", Syntax.DistinguishedName);
    public static readonly AttributeType SupportedExtension = OfServer("1.3.6.1.4.1.1466.101.120.7", "supportedExtension", Syntax.ObjectIdentifier);
    public static readonly AttributeType SupportedControl = OfServer("1.3.6.1.4.1.1466.101.120.13", "supportedControl", Syntax.ObjectIdentifier);
    public static readonly AttributeType SupportedSaslMechanisms = OfServer("1.3.6.1.4.1.1466.101.120.14", "supportedSASLMechanisms", Syntax.DirectoryString);
    public static readonly AttributeType SupportedLdapVersion = OfServer("1.3.6.1.4.1.1466.101.120.15", "supportedLDAPVersion", Syntax.Integer);
    public static readonly AttributeType SupportedFeatures = OfServer("1.3.6.1.4.1.4203.1.3.5", "supportedFeatures", Syntax.ObjectIdentifier);
    public static readonly AttributeType VendorName = OfServer("1.3.6.1.1.4", "vendorName", Syntax.DirectoryString);
    public static readonly AttributeType VendorVersion = OfServer("1.3.6.1.1.5", "vendorVersion", Syntax.DirectoryString);
    public static readonly AttributeType AttributeTypeList = Description("2.5.21.5", "attributeTypes", Syntax.AttributeTypeDescription);
    public static readonly AttributeType ObjectClassList = Description("2.5.21.6", "objectClasses", Syntax.ObjectClassDescription);
    public static readonly AttributeType MatchingRuleList = Description("2.5.21.4", "matchingRules", Syntax.MatchingRuleDescription);
    public static readonly AttributeType LdapSyntaxList = Description("1.3.6.1.4.1.1466.101.120.16", "ldapSyntaxes", Syntax.LdapSyntaxDescription);

    // RFC 4519.
    public static readonly AttributeType SuperName = Text("2.5.4.41", ["name"]);
    public static readonly AttributeType CommonName = new("2.5.4.3", ["cn", "commonName"], SuperName);
    public static readonly AttributeType Surname = new("2.5.4.4", ["sn", "surname"], SuperName);
    public static readonly AttributeType GivenName = new("2.5.4.42", ["givenName", "gn"], SuperName);
    public static readonly AttributeType Initials = new("2.5.4.43", ["initials"], SuperName);
    public static readonly AttributeType Title = new("2.5.4.12", ["title"], SuperName);
    public static readonly AttributeType Locality = new("2.5.4.7", ["l", "localityName"], SuperName);
    public static readonly AttributeType StateOrProvince = new("2.5.4.8", ["st", "stateOrProvinceName"], SuperName);
    public static readonly AttributeType Organization = new("2.5.4.10", ["o", "organizationName"], SuperName);
    public static readonly AttributeType OrganizationalUnit = new("2.5.4.11", ["ou", "organizationalUnitName"], SuperName);
    public static readonly AttributeType Street = Text("2.5.4.9", ["street", "streetAddress"]);
    public static readonly AttributeType EntryDescription = Text("2.5.4.13", ["description"]);
    public static readonly AttributeType BusinessCategory = Text("2.5.4.15", ["businessCategory"]);
    public static readonly AttributeType PostalAddress = new("2.5.4.16", ["postalAddress"])
    {
        Syntax = Syntax.PostalAddress, Equality = MatchingRules.CaseIgnoreList, Substrings = MatchingRules.CaseIgnoreListSubstrings,
    };

    public static readonly AttributeType PostalCode = Text("2.5.4.17", ["postalCode"]);
    public static readonly AttributeType PostOfficeBox = Text("2.5.4.18", ["postOfficeBox"]);
    public static readonly AttributeType PhysicalDeliveryOfficeName = Text("2.5.4.19", ["physicalDeliveryOfficeName"]);
    public static readonly AttributeType TelephoneNumber = Telephone("2.5.4.20", ["telephoneNumber"]);
    public static readonly AttributeType FacsimileTelephoneNumber = Telephone("2.5.4.23", ["facsimileTelephoneNumber", "fax"]);
    public static readonly AttributeType SerialNumber = Text("2.5.4.5", ["serialNumber"], Syntax.PrintableString);
    public static readonly AttributeType SuperDistinguishedName = Named("2.5.4.49", "distinguishedName", null);
    public static readonly AttributeType Member = Named("2.5.4.31", "member", SuperDistinguishedName);
    public static readonly AttributeType Owner = Named("2.5.4.32", "owner", SuperDistinguishedName);
    public static readonly AttributeType SeeAlso = Named("2.5.4.34", "seeAlso", SuperDistinguishedName);
    public static readonly AttributeType UserPassword = new("2.5.4.35", ["userPassword"]) { Syntax = Syntax.OctetString, Equality = MatchingRules.OctetString };
    public static readonly AttributeType Uid = Text("0.9.2342.19200300.100.1.1", ["uid", "userid"]);
    public static readonly AttributeType DomainComponent = new("0.9.2342.19200300.100.1.25", ["dc", "domainComponent"])
    {
        Syntax = Syntax.Ia5String, Equality = MatchingRules.CaseIgnoreIa5, Substrings = MatchingRules.CaseIgnoreIa5Substrings, IsSingleValued = true,
    };

    // RFC 4524 and RFC 2798.
    public static readonly AttributeType Mail = Ia5("0.9.2342.19200300.100.1.3", ["mail", "rfc822Mailbox"], ignoreCase: true);
    public static readonly AttributeType RoomNumber = Text("0.9.2342.19200300.100.1.6", ["roomNumber"]);
    public static readonly AttributeType Host = Text("0.9.2342.19200300.100.1.9", ["host"]);
    public static readonly AttributeType Manager = Named("0.9.2342.19200300.100.1.10", "manager", null);
    public static readonly AttributeType HomePhone = Telephone("0.9.2342.19200300.100.1.20", ["homePhone", "homeTelephoneNumber"]);
    public static readonly AttributeType Secretary = Named("0.9.2342.19200300.100.1.21", "secretary", null);
    public static readonly AttributeType HomePostalAddress = new("0.9.2342.19200300.100.1.39", ["homePostalAddress"])
    {
        Syntax = Syntax.PostalAddress, Equality = MatchingRules.CaseIgnoreList, Substrings = MatchingRules.CaseIgnoreListSubstrings,
    };

    public static readonly AttributeType Mobile = Telephone("0.9.2342.19200300.100.1.41", ["mobile", "mobileTelephoneNumber"]);
    public static readonly AttributeType Pager = Telephone("0.9.2342.19200300.100.1.42", ["pager", "pagerTelephoneNumber"]);
    public static readonly AttributeType CarLicense = Text("2.16.840.1.113730.3.1.1", ["carLicense"]);
    public static readonly AttributeType DepartmentNumber = Text("2.16.840.1.113730.3.1.2", ["departmentNumber"]);
    public static readonly AttributeType EmployeeNumber = Text("2.16.840.1.113730.3.1.3", ["employeeNumber"], single: true);
    public static readonly AttributeType EmployeeType = Text("2.16.840.1.113730.3.1.4", ["employeeType"]);
    public static readonly AttributeType PreferredLanguage = Text("2.16.840.1.113730.3.1.39", ["preferredLanguage"], single: true);
    public static readonly AttributeType DisplayName = Text("2.16.840.1.113730.3.1.241", ["displayName"], single: true);
    public static readonly AttributeType LabeledUri = new("1.3.6.1.4.1.250.1.57", ["labeledURI"]) { Equality = MatchingRules.CaseExact, Substrings = MatchingRules.CaseExactSubstrings };

    // RFC 2307.
    public static readonly AttributeType UidNumber = Number("1.3.6.1.1.1.1.0", "uidNumber");
    public static readonly AttributeType GidNumber = Number("1.3.6.1.1.1.1.1", "gidNumber");
    public static readonly AttributeType Gecos = Ia5("1.3.6.1.1.1.1.2", ["gecos"], ignoreCase: true, single: true);
    public static readonly AttributeType HomeDirectory = Ia5("1.3.6.1.1.1.1.3", ["homeDirectory"], ignoreCase: false, single: true);
    public static readonly AttributeType LoginShell = Ia5("1.3.6.1.1.1.1.4", ["loginShell"], ignoreCase: false, single: true);
    public static readonly AttributeType MemberUid = Ia5("1.3.6.1.1.1.1.12", ["memberUid"], ignoreCase: false);

    // openssh-lpk, as sssd and AuthorizedKeysCommand scripts look for it.
    public static readonly AttributeType SshPublicKey = new("1.3.6.1.4.1.24552.500.1.1.1.13", ["sshPublicKey"]) { Syntax = Syntax.OctetString, Equality = MatchingRules.OctetString };

    private static AttributeType Text(string oid, string[] names, Syntax? syntax = null, bool single = false) => new(oid, names)
    {
        Syntax = syntax ?? Syntax.DirectoryString, IsSingleValued = single,
        Equality = MatchingRules.CaseIgnore, Ordering = MatchingRules.CaseIgnoreOrdering, Substrings = MatchingRules.CaseIgnoreSubstrings,
    };

    private static AttributeType Ia5(string oid, string[] names, bool ignoreCase, bool single = false) => new(oid, names)
    {
        Syntax = Syntax.Ia5String, IsSingleValued = single,
        Equality = ignoreCase ? MatchingRules.CaseIgnoreIa5 : MatchingRules.CaseExactIa5,
        Substrings = ignoreCase ? MatchingRules.CaseIgnoreIa5Substrings : MatchingRules.CaseExactSubstrings,
    };

    private static AttributeType Telephone(string oid, string[] names) => new(oid, names)
    {
        Syntax = Syntax.TelephoneNumber, Equality = MatchingRules.TelephoneNumber, Substrings = MatchingRules.TelephoneNumberSubstrings,
    };

    private static AttributeType Named(string oid, string name, AttributeType? superior) => new(oid, [name], superior)
    {
        Syntax = Syntax.DistinguishedName, Equality = MatchingRules.DistinguishedName,
    };

    private static AttributeType Number(string oid, string name) => new(oid, [name])
    {
        Syntax = Syntax.Integer, Equality = MatchingRules.Integer, Ordering = MatchingRules.IntegerOrdering, IsSingleValued = true,
    };

    private static AttributeType Operational(string oid, string name, Syntax syntax, MatchingRule equality, MatchingRule? ordering = null, bool single = true) => new(oid, [name])
    {
        Syntax = syntax, Equality = equality, Ordering = ordering, IsSingleValued = single, IsReadOnly = true, Usage = DirectoryOperation,
    };

    private static AttributeType OfServer(string oid, string name, Syntax syntax) => new(oid, [name])
    {
        Syntax = syntax, IsReadOnly = true, Usage = DsaOperation,
        Equality = syntax == Syntax.ObjectIdentifier ? MatchingRules.ObjectIdentifier : syntax == Syntax.DistinguishedName ? MatchingRules.DistinguishedName
            : syntax == Syntax.Integer ? MatchingRules.Integer : MatchingRules.CaseIgnore,
    };

    private static AttributeType Description(string oid, string name, Syntax syntax) => new(oid, [name])
    {
        Syntax = syntax, Equality = MatchingRules.ObjectIdentifierFirstComponent, IsReadOnly = true, Usage = DirectoryOperation,
    };
}
