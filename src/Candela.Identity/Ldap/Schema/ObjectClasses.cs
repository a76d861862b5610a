using static Candela.Identity.Ldap.Schema.AttributeTypes;
using static Candela.Identity.Ldap.Schema.ObjectClassKind;

namespace Candela.Identity.Ldap.Schema;

/// <summary>The object classes that entries of this directory can have.</summary>
internal static class ObjectClasses
{
    private static readonly AttributeType[] Addresses =
        [Street, PostalAddress, PostalCode, PostOfficeBox, PhysicalDeliveryOfficeName, TelephoneNumber, FacsimileTelephoneNumber, StateOrProvince, Locality];

    // RFC 4512, 2.4.1, 4.2 and 5.1.
    public static readonly ObjectClass Top = new("2.5.6.0", "top", Abstract, null, [AttributeTypes.ObjectClass], []);
    public static readonly ObjectClass Subentry = new("2.5.17.0", "subentry", Structural, Top, [CommonName], []);
    public static readonly ObjectClass Subschema = new("2.5.20.1", "subschema", Auxiliary, Top, [], [AttributeTypeList, ObjectClassList, MatchingRuleList, LdapSyntaxList]);

    // RFC 4519 and RFC 4524.
    public static readonly ObjectClass Person = new("2.5.6.6", "person", Structural, Top, [Surname, CommonName], [UserPassword, TelephoneNumber, SeeAlso, EntryDescription]);
    public static readonly ObjectClass OrganizationalPerson = new("2.5.6.7", "organizationalPerson", Structural, Person, [], [Title, OrganizationalUnit, .. Addresses]);
    public static readonly ObjectClass OrganizationalUnitClass =
        new("2.5.6.5", "organizationalUnit", Structural, Top, [OrganizationalUnit], [EntryDescription, BusinessCategory, SeeAlso, .. Addresses]);
    public static readonly ObjectClass DomainClass = new("0.9.2342.19200300.100.4.13", "domain", Structural, Top, [DomainComponent], [EntryDescription, Organization, SeeAlso, .. Addresses]);
    public static readonly ObjectClass Device = new("2.5.6.14", "device", Structural, Top, [CommonName], [SerialNumber, SeeAlso, Owner, OrganizationalUnit, Organization, Locality, EntryDescription]);
    public static readonly ObjectClass Account =
        new("0.9.2342.19200300.100.4.5", "account", Structural, Top, [Uid], [EntryDescription, SeeAlso, Locality, Organization, OrganizationalUnit, Host, DisplayName]);
    public static readonly ObjectClass SimpleSecurityObject = new("0.9.2342.19200300.100.4.19", "simpleSecurityObject", Auxiliary, Top, [], [UserPassword]);

    /// <summary>RFC 4519, 3.5, but for the rule that there must be a member: groups without any are common, and most servers let them be.</summary>
    public static readonly ObjectClass GroupOfNames =
        new("2.5.6.9", "groupOfNames", Structural, Top, [CommonName], [Member, BusinessCategory, SeeAlso, Owner, OrganizationalUnit, Organization, EntryDescription]);

    // RFC 2798, without what is not text.
    public static readonly ObjectClass InetOrgPerson = new(
        "2.16.840.1.113730.3.2.2", "inetOrgPerson", Structural, OrganizationalPerson, [],
        [
            BusinessCategory, CarLicense, DepartmentNumber, DisplayName, EmployeeNumber, EmployeeType, GivenName, HomePhone, HomePostalAddress, Initials, LabeledUri, Mail, Manager, Mobile,
            Organization, Pager, PreferredLanguage, RoomNumber, Secretary, Uid,
        ]);

    /// <summary>RFC 2307, 4.</summary>
    public static readonly ObjectClass PosixAccount =
        new("1.3.6.1.1.1.2.0", "posixAccount", Auxiliary, Top, [CommonName, Uid, UidNumber, GidNumber, HomeDirectory], [UserPassword, LoginShell, Gecos, EntryDescription]);

    /// <summary>RFC 2307, 4; auxiliary as in draft-howard-rfc2307bis-02, since it stands beside <see cref="GroupOfNames"/>.</summary>
    public static readonly ObjectClass PosixGroup = new("1.3.6.1.1.1.2.2", "posixGroup", Auxiliary, Top, [GidNumber], [MemberUid, EntryDescription]);

    /// <summary>openssh-lpk.</summary>
    public static readonly ObjectClass LdapPublicKey = new("1.3.6.1.4.1.24552.500.1.1.2.0", "ldapPublicKey", Auxiliary, Top, [], [SshPublicKey, Uid]);
}
