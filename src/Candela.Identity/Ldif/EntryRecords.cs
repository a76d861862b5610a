using System.Globalization;
using Candela.Identity.Accounts;

namespace Candela.Identity.Ldif;

/// <summary>Entries of the directory as LDIF records and back. Classes and attributes: RFC 4519, RFC 2798 (inetOrgPerson), RFC 2307 (posixAccount, posixGroup).</summary>
internal static class EntryRecords
{
    /// <summary>What OpenLDAP's password policy sets in an account that is locked for good (draft-behera-ldap-password-policy, 5.3.3).</summary>
    public const string LockedForGood = "000001010000Z";

    private const string Argon2Prefix = "{ARGON2}";

    /// <summary>Attributes of users of which there can be more than their property holds.</summary>
    private static readonly HashSet<string> Several = ["sn", "givenname", "mail", "telephonenumber", "description"];

    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "objectClass", "uid", "cn", "sn", "givenName", "displayName", "mail", "telephoneNumber", "uidNumber", "gidNumber", "homeDirectory", "loginShell",
        "description", "entryUUID", "userPassword", "member", "uniqueMember", "memberUid", "pwdAccountLockedTime",

        // What other servers write and only they can use.
        "structuralObjectClass", "entryDN", "entryCSN", "createTimestamp", "modifyTimestamp", "creatorsName", "modifiersName", "subschemaSubentry", "hasSubordinates",
        "contextCSN", "pwdChangedTime", "pwdFailureTime", "pwdHistory", "memberOf", "nsUniqueId",
    };

    /// <summary>An entry as a record.</summary>
    /// <param name="current">Directory that it is in.</param>
    /// <param name="domain">Its domain.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="passwordHash">Hash to write; null: none.</param>
    public static LdifRecord Make(DirectorySnapshot current, Domain domain, DirectoryEntry entry, string? passwordHash)
    {
        var attributes = new List<(string, string)>();
        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                attributes.Add((name, value));
        }

        void AddClasses(params string[] names) => attributes.AddRange(names.Select(name => ("objectClass", name)));
        switch (entry)
        {
            case User user:
                AddClasses("top", "person", "organizationalPerson", "inetOrgPerson", "posixAccount");
                Add("uid", user.Name);
                Add("cn", user.Attributes.ContainsKey("cn") ? null : CommonName(user));
                Add("sn", user.Surname ?? user.Name);
                Add("givenName", user.GivenName);
                Add("displayName", user.DisplayName);
                Add("mail", user.Mail);
                Add("telephoneNumber", user.Telephone);
                Add("uidNumber", user.Posix?.UidNumber.ToString(CultureInfo.InvariantCulture));
                Add("gidNumber", user.Posix?.GidNumber.ToString(CultureInfo.InvariantCulture));
                Add("homeDirectory", user.Posix?.HomeDirectory);
                Add("loginShell", user.Posix?.LoginShell);
                break;
            case Group group:
                var members = current.MembersOf(group.Id).Select(current.Get).OfType<DirectoryEntry>().OrderBy(m => m.Name, EntryName.Comparer).ToArray();
                AddClasses("top", "posixGroup");
                if (members.Length > 0)
                    AddClasses("groupOfNames"); // which must have a member
                Add("cn", group.Name);
                Add("gidNumber", group.GidNumber.ToString(CultureInfo.InvariantCulture));
                foreach (var member in members)
                    Add("member", DirectoryNames.Of(domain, member));
                break;
            case ServiceAccount account:
                AddClasses("top", "account", "simpleSecurityObject");
                Add("uid", account.Name);
                Add("displayName", account.DisplayName);
                break;
            default:
                AddClasses("top", "device");
                Add("cn", entry.Name);
                break;
        }

        Add("description", entry.Description);
        Add("entryUUID", entry.Id.ToString());
        Add("pwdAccountLockedTime", entry.Enabled ? null : LockedForGood);
        Add("userPassword", passwordHash is null ? null : Argon2Prefix + passwordHash);
        foreach (var (name, values) in entry.Attributes.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            foreach (var value in values)
                Add(name, value);
        }

        return new LdifRecord(0, DirectoryNames.Of(domain, entry), attributes);
    }

    /// <summary>What a record describes; null: nothing that the directory holds (an organization, a unit).</summary>
    public static DirectoryEntry? Read(LdifRecord record, Guid domainId)
    {
        var classes = record.Values("objectClass").ToHashSet(StringComparer.OrdinalIgnoreCase);
        bool Is(params string[] names) => names.Any(classes.Contains);
        var id = Guid.TryParse(record.Value("entryUUID"), out var uuid) ? uuid : Guid.Empty;
        DirectoryEntry? entry =
            Is("inetOrgPerson", "posixAccount", "person", "organizationalPerson") ? ReadUser(record, domainId)
            : Is("groupOfNames", "groupOfUniqueNames", "posixGroup") ? new Group { DomainId = domainId, Name = Name(record, "cn"), GidNumber = Number(record, "gidNumber") }
            : Is("account", "applicationProcess") ? new ServiceAccount { DomainId = domainId, Name = Name(record, "uid"), DisplayName = record.Value("displayName") }
            : Is("device", "ipHost") ? new MachineAccount { DomainId = domainId, Name = Name(record, "cn") }
            : null;
        return entry is null ? null : entry with
        {
            Id = id,
            Description = record.Value("description"),
            Enabled = record.Value("pwdAccountLockedTime") != LockedForGood,
            Attributes = record.Attributes.GroupBy(a => a.Name.ToLowerInvariant())
                .Select(g => (g.Key, Values: Further(entry, g.Key, [.. g.Select(a => a.Value)])))
                .Where(further => further.Values.Length > 0)
                .ToDictionary(further => further.Key, further => (IReadOnlyList<string>)further.Values),
        };
    }

    /// <summary>What of an attribute's values no property holds.</summary>
    private static string[] Further(DirectoryEntry entry, string name, string[] values) =>
        !Known.Contains(name) ? values
        : name == "cn" && entry is User user ? (values is [var only] && only == CommonName(user) ? [] : values)
        : Several.Contains(name) && entry is User ? values[1..]
        : [];

    /// <summary>The hash that a record brings; null: none that can be used here.</summary>
    public static string? PasswordHash(LdifRecord record) => record.Values("userPassword")
        .Where(value => value.StartsWith(Argon2Prefix, StringComparison.OrdinalIgnoreCase)).Select(value => value[Argon2Prefix.Length..])
        .FirstOrDefault(Authentication.PasswordHash.IsValid);

    /// <summary>Names of a group's members.</summary>
    public static IEnumerable<string> MemberNames(LdifRecord record) =>
        record.Values("member").Concat(record.Values("uniqueMember")).Select(DirectoryNames.FirstValue).OfType<string>().Concat(record.Values("memberUid"));

    /// <summary>Name as shown: cn must be there.</summary>
    public static string CommonName(User user) =>
        user.DisplayName ?? (user.GivenName is null && user.Surname is null ? user.Name : string.Join(' ', new[] { user.GivenName, user.Surname }.Where(part => part is not null)));

    private static User ReadUser(LdifRecord record, Guid domainId)
    {
        var name = Name(record, "uid");
        var displayName = record.Value("displayName");
        var (givenName, surname) = (record.Value("givenName"), record.Value("sn"));
        var user = new User
        {
            DomainId = domainId,
            Name = name,
            DisplayName = displayName,
            GivenName = givenName,
            Surname = surname == name ? null : surname,
            Mail = record.Value("mail"),
            Telephone = record.Value("telephoneNumber"),
            Posix = new PosixAccount
            {
                UidNumber = Number(record, "uidNumber"),
                GidNumber = Number(record, "gidNumber"),
                HomeDirectory = record.Value("homeDirectory") ?? "",
                LoginShell = record.Value("loginShell") ?? new PosixAccount().LoginShell,
            },
        };

        // cn must be there; where it says more than the other names, it is the one to show.
        return displayName is null && record.Value("cn") is { } cn && cn != CommonName(user) ? user with { DisplayName = cn } : user;
    }

    private static string Name(LdifRecord record, string attribute) => record.Value(attribute) ?? DirectoryNames.FirstValue(record.Name) ?? "";

    private static uint Number(LdifRecord record, string attribute) => record.Value(attribute) is { } text
        ? uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : throw new LdifFormatException(record.Line, $"{attribute} is no number")
        : 0;
}
