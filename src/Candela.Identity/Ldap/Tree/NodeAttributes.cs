using System.Collections.Frozen;
using System.Globalization;
using Candela.Identity.Accounts;
using Candela.Identity.Ldap.Protocol;
using Candela.Identity.Ldap.Schema;
using Candela.Identity.Ldif;

namespace Candela.Identity.Ldap.Tree;

/// <summary>Which attributes nodes have, and how their values come about.</summary>
internal sealed class NodeAttributes
{
    private static readonly NodeAttributes OfRootDse = new(
        [
            (AttributeTypes.ObjectClass, Always(ObjectClasses.Top)),
            (AttributeTypes.NamingContexts, (node, values) => values.AddRange(node.Root.NamingContexts)),
            (AttributeTypes.SupportedExtension, (_, values) => values.AddRange(LdapOids.StartTls, LdapOids.PasswordModify, LdapOids.WhoAmI)),
            (AttributeTypes.SupportedControl, (_, values) => values.AddRange(LdapOids.PagedResults, LdapOids.ManageDsaIt, LdapOids.PasswordPolicy)),
            (AttributeTypes.SupportedSaslMechanisms, (node, values) => values.AddRange(node.Root.SaslMechanisms)),
            (AttributeTypes.SupportedLdapVersion, (_, values) => values.Add("3")),
            (AttributeTypes.SupportedFeatures, (_, values) => values.AddRange(LdapOids.AllOperationalAttributes, LdapOids.AbsoluteFilters, LdapOids.ModifyIncrement)),
            (AttributeTypes.VendorName, (_, values) => values.Add("Candela")),
        ],
        _ => true);

    private static readonly NodeAttributes OfSubschema = new(
        [
            (AttributeTypes.ObjectClass, Always(ObjectClasses.Top, ObjectClasses.Subentry, ObjectClasses.Subschema)),
            (AttributeTypes.CommonName, (_, values) => values.Add("Subschema")),
            (AttributeTypes.AttributeTypeList, (_, values) => values.AddRange(LdapSchema.AttributeTypeList.Select(type => type.ToString()))),
            (AttributeTypes.ObjectClassList, (_, values) => values.AddRange(LdapSchema.ObjectClassList.Select(type => type.ToString()))),
            (AttributeTypes.MatchingRuleList, (_, values) => values.AddRange(MatchingRules.All.Select(rule => rule.ToString()))),
            (AttributeTypes.LdapSyntaxList, (_, values) => values.AddRange(Syntax.All.Select(syntax => syntax.ToString()))),
        ]);

    private static readonly NodeAttributes OfDomain = new(
        [
            (AttributeTypes.ObjectClass, Always(ObjectClasses.Top, ObjectClasses.DomainClass)),
            (AttributeTypes.DomainComponent, (node, values) => values.Add(node.Domain.Name)),
            (AttributeTypes.EntryDescription, (node, values) => Add(values, node.Domain.Description)),
            (AttributeTypes.StructuralObjectClass, Always(ObjectClasses.DomainClass)),
            (AttributeTypes.EntryUuid, (node, values) => values.Add(node.Domain.Id.ToString())),
            (AttributeTypes.CreateTimestamp, (node, values) => values.Add(GeneralizedTime.Format(node.Domain.CreatedAt))),
            (AttributeTypes.ModifyTimestamp, (node, values) => values.Add(GeneralizedTime.Format(node.Domain.ModifiedAt))),
        ],
        node => true);

    private static readonly NodeAttributes OfUnit = new(
        [
            (AttributeTypes.ObjectClass, Always(ObjectClasses.Top, ObjectClasses.OrganizationalUnitClass)),
            (AttributeTypes.OrganizationalUnit, (node, values) => values.Add(DirectoryNames.Unit(node.Unit))),
            (AttributeTypes.StructuralObjectClass, Always(ObjectClasses.OrganizationalUnitClass)),
            (AttributeTypes.CreateTimestamp, (node, values) => values.Add(GeneralizedTime.Format(node.Domain.CreatedAt))),
        ],
        node => node.Directory.Count(node.Domain.Id, node.Unit) > 0);

    private static readonly NodeAttributes OfUser = new(
        [
            (AttributeTypes.ObjectClass, Classes(ObjectClasses.Top, ObjectClasses.Person, ObjectClasses.OrganizationalPerson, ObjectClasses.InetOrgPerson, ObjectClasses.PosixAccount)),
            (AttributeTypes.Uid, (node, values) => values.Add(node.Entry.Name)),
            (AttributeTypes.CommonName, AddCommonNames),
            (AttributeTypes.Surname, WithFurther(AttributeTypes.Surname, node => UserOf(node).Surname ?? node.Entry.Name)),
            (AttributeTypes.GivenName, WithFurther(AttributeTypes.GivenName, node => UserOf(node).GivenName)),
            (AttributeTypes.DisplayName, (node, values) => Add(values, UserOf(node).DisplayName)),
            (AttributeTypes.Mail, WithFurther(AttributeTypes.Mail, node => UserOf(node).Mail)),
            (AttributeTypes.TelephoneNumber, WithFurther(AttributeTypes.TelephoneNumber, node => UserOf(node).Telephone)),
            (AttributeTypes.UidNumber, (node, values) => Add(values, UserOf(node).Posix?.UidNumber)),
            (AttributeTypes.GidNumber, (node, values) => Add(values, UserOf(node).Posix?.GidNumber)),
            (AttributeTypes.HomeDirectory, (node, values) => Add(values, UserOf(node).Posix?.HomeDirectory)),
            (AttributeTypes.LoginShell, (node, values) => Add(values, UserOf(node).Posix?.LoginShell)),
            .. OfEveryEntry(ObjectClasses.InetOrgPerson),
        ]);

    private static readonly NodeAttributes OfGroup = new(
        [
            (AttributeTypes.ObjectClass, Classes(ObjectClasses.Top, ObjectClasses.GroupOfNames, ObjectClasses.PosixGroup)),
            (AttributeTypes.CommonName, (node, values) => values.Add(node.Entry.Name)),
            (AttributeTypes.GidNumber, (node, values) => Add(values, ((Group)node.Entry).GidNumber)),
            (AttributeTypes.Member, AddMembers),
            (AttributeTypes.MemberUid, AddMemberNames),
            .. OfEveryEntry(ObjectClasses.GroupOfNames),
        ]);

    private static readonly NodeAttributes OfServiceAccount = new(
        [
            (AttributeTypes.ObjectClass, Classes(ObjectClasses.Top, ObjectClasses.Account, ObjectClasses.SimpleSecurityObject)),
            (AttributeTypes.Uid, (node, values) => values.Add(node.Entry.Name)),
            (AttributeTypes.DisplayName, (node, values) => Add(values, ((ServiceAccount)node.Entry).DisplayName)),
            .. OfEveryEntry(ObjectClasses.Account),
        ]);

    private static readonly NodeAttributes OfMachine = new(
        [
            (AttributeTypes.ObjectClass, Classes(ObjectClasses.Top, ObjectClasses.Device)),
            (AttributeTypes.CommonName, (node, values) => values.Add(node.Entry.Name)),
            .. OfEveryEntry(ObjectClasses.Device),
        ]);

    private readonly FrozenDictionary<AttributeType, ValueSource> _byType;
    private readonly FrozenSet<string> _keys;

    private NodeAttributes((AttributeType Type, ValueSource Source)[] own, Func<TreeNode, bool>? hasSubordinates = null)
    {
        All =
        [
            .. own,
            (AttributeTypes.EntryDn, (node, values) => values.Add(node.Name)),
            (AttributeTypes.SubschemaSubentry, (_, values) => values.Add(DirectoryTree.SubschemaName)),
            (AttributeTypes.HasSubordinates, (node, values) => values.Add(hasSubordinates?.Invoke(node) == true ? "TRUE" : "FALSE")),
        ];
        _byType = All.ToFrozenDictionary(pair => pair.Type, pair => pair.Source);
        _keys = All.Select(pair => pair.Type.Key).ToFrozenSet();
    }

    /// <summary>Adds a node's values of an attribute.</summary>
    public delegate void ValueSource(TreeNode node, List<string> values);

    /// <summary>All of them, in the order in which they are shown. Further attributes of entries that are not <see cref="Owns"/> come on top.</summary>
    public IReadOnlyList<(AttributeType Type, ValueSource Source)> All { get; }

    /// <summary>Attributes of a node.</summary>
    public static NodeAttributes Of(TreeNode node) => node.Kind switch
    {
        NodeKind.RootDse => OfRootDse,
        NodeKind.Subschema => OfSubschema,
        NodeKind.Domain => OfDomain,
        NodeKind.Unit => OfUnit,
        _ => Of(node.Unit),
    };

    /// <summary>Attributes of entries of a kind.</summary>
    public static NodeAttributes Of(EntryKind kind) => kind switch
    {
        EntryKind.User => OfUser,
        EntryKind.Group => OfGroup,
        EntryKind.ServiceAccount => OfServiceAccount,
        EntryKind.Machine => OfMachine,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>A further attribute's values come with those of an attribute that is in <see cref="All"/>.</summary>
    /// <param name="key">Name that it is stored under.</param>
    public bool Owns(string key) => _keys.Contains(key);

    /// <summary>Adds values of an attribute of the schema.</summary>
    public void Collect(TreeNode node, AttributeType type, List<string> values)
    {
        if (_byType.TryGetValue(type, out var source))
            source(node, values);
    }

    private static void Add(List<string> values, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            values.Add(value);
    }

    private static void Add(List<string> values, uint? number)
    {
        if (number is { } value)
            values.Add(value.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>A property's value, and those beside it.</summary>
    private static ValueSource WithFurther(AttributeType type, Func<TreeNode, string?> property) => (node, values) =>
    {
        Add(values, property(node));
        if (node.Entry.Attributes.TryGetValue(type.Key, out var further))
            values.AddRange(further);
    };

    /// <summary>The names that were given, or else the one that follows from the others.</summary>
    private static void AddCommonNames(TreeNode node, List<string> values)
    {
        if (node.Entry.Attributes.TryGetValue(AttributeTypes.CommonName.Key, out var given))
            values.AddRange(given);
        else
            values.Add(EntryRecords.CommonName(UserOf(node)));
    }

    private static User UserOf(TreeNode node) => (User)node.Entry;

    private static ValueSource Always(params ObjectClass[] classes)
    {
        string[] names = [.. classes.Select(type => type.Name)];
        return (_, values) => values.AddRange(names);
    }

    /// <summary>Classes of entries; further attributes bring theirs.</summary>
    private static ValueSource Classes(params ObjectClass[] classes)
    {
        var always = Always(classes);
        return (node, values) =>
        {
            always(node, values);
            if (node.Entry.Attributes.ContainsKey(AttributeTypes.SshPublicKey.Key))
                values.Add(ObjectClasses.LdapPublicKey.Name);
        };
    }

    private static (AttributeType Type, ValueSource Source)[] OfEveryEntry(ObjectClass structural) =>
    [
        (AttributeTypes.EntryDescription, WithFurther(AttributeTypes.EntryDescription, node => node.Entry.Description)),
        (AttributeTypes.StructuralObjectClass, Always(structural)),
        (AttributeTypes.EntryUuid, (node, values) => values.Add(node.Entry.Id.ToString())),
        (AttributeTypes.CreateTimestamp, (node, values) => values.Add(GeneralizedTime.Format(node.Entry.CreatedAt))),
        (AttributeTypes.ModifyTimestamp, AddModifyTime),
        (AttributeTypes.MemberOf, AddGroups),
        (AttributeTypes.AccountLockedTime, (node, values) => Add(values, node.Entry.Enabled ? null : EntryRecords.LockedForGood)),
    ];

    /// <summary>
    /// Not of groups: membership does not change the time, and clients that keep copies (sssd) would take a group for unchanged by it.
    /// </summary>
    private static void AddModifyTime(TreeNode node, List<string> values)
    {
        if (node.Entry is not Group)
            values.Add(GeneralizedTime.Format(node.Entry.ModifiedAt));
    }

    private static void AddMembers(TreeNode node, List<string> values)
    {
        foreach (var id in node.Directory.MembersOf(node.Entry.Id))
        {
            if (node.Directory.Get(id) is { } member)
                values.Add(DirectoryNames.Of(node.Domain, member));
        }
    }

    /// <summary>Users who are in the group, through other groups, too: who reads this attribute does not know of groups in groups.</summary>
    private static void AddMemberNames(TreeNode node, List<string> values)
    {
        foreach (var id in node.Directory.EffectiveMembers(node.Entry.Id))
        {
            if (node.Directory.Get<User>(id) is { } member)
                values.Add(member.Name);
        }
    }

    /// <summary>Groups that the entry is in directly; disabled ones confer nothing.</summary>
    private static void AddGroups(TreeNode node, List<string> values)
    {
        foreach (var id in node.Directory.GroupsOf(node.Entry.Id))
        {
            if (node.Directory.Get<Group>(id) is { Enabled: true } group)
                values.Add(DirectoryNames.Of(node.Domain, group));
        }
    }
}
